// The official JavaScript client, unmodified. Over plain http it never sends a token (it looks for https before it compares
// hosts), so that its first middleware, which every user of it may bring along, sets the header.

import { Client, HTTPMessageHandler, RetryHandler, RetryHandlerOptions } from "@microsoft/microsoft-graph-client";

export const { url, throttled, names } = JSON.parse(process.env.PRESENCE);

class Token {
  constructor(token) {
    this.token = token;
  }
  setNext(next) {
    this.next = next;
  }
  async execute(context) {
    context.options.headers = { ...Object.fromEntries(new Headers(context.options.headers)), Authorization: `Bearer ${this.token}` };
    await this.next.execute(context);
  }
}

export function graph(token = names.APPLICATION_TOKEN, base = url) {
  const [first, retry, last] = [new Token(token), new RetryHandler(new RetryHandlerOptions()), new HTTPMessageHandler()];
  first.setNext(retry);
  retry.setNext(last);
  return Client.initWithMiddleware({ baseUrl: `${base}/`, defaultVersion: "v1.0", middleware: first });
}

// Lets virtual time pass.
export async function advance(seconds) {
  const answer = await fetch(`${url}/dev/advance?seconds=${seconds}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${names.DEVELOPER_TOKEN}` },
  });
  if (answer.status !== 200) throw new Error(`advance: ${answer.status}`);
}

// Has the next requests through the proxy refused. Returns how many it has seen.
export async function throttle(requests) {
  return Number(await (await fetch(`${throttled}/throttle/${requests}`, { method: "POST" })).text());
}

// What a call is refused with.
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("the call was not refused");
}
