// An issuer of tokens, oidc-provider, that is as unkind as real ones: access tokens of ten seconds, refresh tokens that are good
// once, `slow_down` for whoever polls early, and, like Graph, a server behind it that only its access tokens open.
//
// node provider.mjs PORT STATE BACKEND TOKEN: what it knows is in the file STATE, so that it can be killed and started again. What
// carries a good access token goes to the presence server at BACKEND, with TOKEN.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import Provider, { errors } from "oidc-provider";

const [port, file, backend, token] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const INTERVAL = 1;
const SLOWER = 5;

/** What the issuer knows, by model and id; written with every change. */
const known = existsSync(file) ? JSON.parse(readFileSync(file)) : {};
const write = () => writeFileSync(file, JSON.stringify(known));

class Stored {
  constructor(model) {
    this.of = known[model] ??= {};
  }
  async upsert(id, payload) {
    this.of[id] = payload;
    write();
  }
  async find(id) {
    return this.of[id];
  }
  async findByUid(uid) {
    return Object.values(this.of).find((payload) => payload.uid === uid);
  }
  async findByUserCode(code) {
    return Object.values(this.of).find((payload) => payload.userCode === code);
  }
  async consume(id) {
    this.of[id].consumed = Math.floor(Date.now() / 1000);
    write();
  }
  async destroy(id) {
    delete this.of[id];
    write();
  }
  async revokeByGrantId(grantId) {
    revoke((payload) => payload.grantId === grantId);
  }
}

function revoke(which) {
  for (const model of Object.values(known)) {
    for (const [id, payload] of Object.entries(model)) if (which(payload)) delete model[id];
  }
  write();
}

const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";
const provider = new Provider(issuer, {
  adapter: Stored,
  clients: [
    {
      client_id: "presence-follow",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://localhost"],
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token", DEVICE_CODE],
    },
  ],
  cookies: { keys: ["the same after a restart"] },
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  scopes: ["openid", "offline_access", "Presence.Read"],
  ttl: { AccessToken: 10, DeviceCode: 600, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
});

/** How often tokens were asked for, by grant, for the checks. */
const counts = {};
/** When each device code may be asked with again, and how much longer its interval has become. */
const polls = new Map();

provider.use(async (ctx, next) => {
  if (ctx.path === "/check/counts") return void (ctx.body = counts);
  if (ctx.path === "/check/revoke") {
    revoke((payload) => payload.grantId || payload.kind === "Grant");
    return void (ctx.body = {});
  }
  if (ctx.path.startsWith("/v1.0/")) return forward(ctx);
  await next();
  if (ctx.path === "/device/auth") ctx.body.interval = INTERVAL;
});

/** Answers as Graph does: with 401 to what is no good access token. */
async function forward(ctx) {
  const [, bearer] = /^Bearer (\S+)$/.exec(ctx.get("authorization")) ?? [];
  const access = bearer && (await provider.AccessToken.find(bearer));
  if (!access?.isValid || !access.scopes.has("Presence.Read")) {
    ctx.status = 401;
    return void (ctx.body = { error: { code: "InvalidAuthenticationToken", message: "Access token is not valid." } });
  }
  const answer = await fetch(backend + ctx.path, { method: ctx.method, headers: { authorization: `Bearer ${token}` } });
  ctx.status = answer.status;
  ctx.type = "application/json";
  ctx.body = await answer.text();
}

// Before the issuer itself, which takes a form that has been read.
provider.use(async (ctx, next) => {
  if (ctx.path === "/token" && ctx.method === "POST") {
    const body = Object.fromEntries(await form(ctx.req));
    ctx.req.body = body;
    counts[body.grant_type] = (counts[body.grant_type] ?? 0) + 1;
    const error = body.grant_type === DEVICE_CODE && slowDown(body.device_code);
    if (error) {
      ctx.status = error.statusCode;
      return void (ctx.body = { error: error.error, error_description: error.error_description });
    }
  }
  await next();
});

/** Throttles whoever asks early, and always the second time, as if it had been early. */
function slowDown(code) {
  const now = Date.now();
  const poll = polls.get(code) ?? { count: 0, interval: INTERVAL, next: 0 };
  poll.count += 1;
  const isEarly = now < poll.next;
  if (isEarly) counts.early = (counts.early ?? 0) + 1;
  const isSlowed = isEarly || poll.count === 2;
  if (isSlowed) poll.interval += SLOWER;
  // The way there takes its time, not always the same.
  poll.next = now + poll.interval * 1000 - 500;
  polls.set(code, poll);
  return isSlowed ? new errors.SlowDown() : undefined;
}

async function form(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

provider.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${issuer}`));
