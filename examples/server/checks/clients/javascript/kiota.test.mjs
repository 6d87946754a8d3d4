// kiota's TypeScript client with its performance middlewares, which compress every body and send it as it is on 415.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { AllowedHostsValidator, BaseBearerTokenAuthenticationProvider, HttpMethod, RequestInformation } from "@microsoft/kiota-abstractions";
import { FetchRequestAdapter, KiotaClientFactory, MiddlewareFactory } from "@microsoft/kiota-http-fetchlibrary";
import { names, url } from "./graph.mjs";

const { APPLICATION, APPLICATION_TOKEN, OTHER_USER, USER } = names;

// What was sent: the content coding, the body and the status of each request.
let sent = [];

async function recorded(address, options) {
  const response = await fetch(address, options);
  const headers = new Headers(options.headers);
  sent.push({ coding: headers.get("content-encoding"), body: options.body, status: response.status });
  return response;
}

const token = { getAuthorizationToken: async () => APPLICATION_TOKEN, getAllowedHostsValidator: () => new AllowedHostsValidator() };
const middlewares = MiddlewareFactory.getPerformanceMiddlewares(recorded);
const client = KiotaClientFactory.create(recorded, middlewares);
const adapter = new FetchRequestAdapter(new BaseBearerTokenAuthenticationProvider(token), undefined, undefined, client);
adapter.baseUrl = `${url}/v1.0`;

function request(method, template, parameters, body) {
  const request = new RequestInformation(method, `{+baseurl}${template}`, parameters);
  if (body) request.setStreamContent(new TextEncoder().encode(JSON.stringify(body)).buffer, "application/json");
  sent = [];
  return request;
}

async function read(path) {
  const response = await fetch(`${url}/v1.0${path}`, { headers: { Authorization: `Bearer ${APPLICATION_TOKEN}` } });
  return response.json();
}

const SET = "/users/{user%2Did}/presence/setPresence";
const SESSION = { sessionId: APPLICATION, availability: "Busy", activity: "InACall", expirationDuration: "PT1H" };

for (const template of [SET, "/users/{user%2Did}/presence/microsoft.graph.setPresence", "/communications/presences/{user%2Did}/microsoft.graph.setPresence"]) {
  test(`P1: a compressed body, then the same as it is: ${template}`, async () => {
    await adapter.sendNoResponseContent(request(HttpMethod.POST, template, { "user%2Did": USER }, SESSION), undefined);
    assert.deepEqual(sent.map(({ coding, status }) => [coding, status]), [["gzip", 415], [null, 200]]);
    const [coded, plain] = sent.map(({ body }) => Buffer.from(body));
    assert.deepEqual(gunzipSync(coded), plain);
    assert.equal((await read(`/users/${USER}/presence`)).activity, "InACall");
  });
}

test("a body that is longer than its compressed form", async () => {
  const ids = Array.from({ length: 650 }, (_, number) => `${String(number).padStart(8, "0")}${OTHER_USER.slice(8)}`);
  const bulk = request(HttpMethod.POST, "/communications/microsoft.graph.getPresencesByUserId", {}, { ids });
  await adapter.sendNoResponseContent(bulk, undefined);
  assert.deepEqual(sent.map(({ coding, status }) => [coding, status]), [["gzip", 415], [null, 200]]);
});

test("U4: nothing is compressed where there is no body", async () => {
  const clear = request(HttpMethod.POST, "/users/{user%2Did}/presence/clearUserPreferredPresence", { "user%2Did": USER });
  await adapter.sendNoResponseContent(clear, undefined);
  assert.deepEqual(sent.map(({ coding, status }) => [coding, status]), [[null, 200]]);
});

test("many actions at once, on connections that are used again", async () => {
  const users = Array.from({ length: 40 }, (_, number) => `${String(number).padStart(8, "0")}${USER.slice(8)}`);
  const set = (user) => adapter.sendNoResponseContent(request(HttpMethod.POST, SET, { "user%2Did": user }, SESSION), undefined);
  await Promise.all(users.map(set));
  const filter = encodeURIComponent(`id in (${users.map((user) => `'${user}'`).join(",")})`);
  const { value } = await read(`/communications/presences?$filter=${filter}&$select=id,activity`);
  assert.deepEqual(value, users.map((id) => ({ id, activity: "InACall" })));
});
