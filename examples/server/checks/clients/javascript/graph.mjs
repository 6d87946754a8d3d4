// The official JavaScript client, unmodified. Over plain http it never sends a token, because it requires https before it
// compares hosts; so a first middleware, which the client allows, sets the header.

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

// Advances the virtual clock.
export async function advance(seconds) {
  const response = await fetch(`${url}/dev/advance?seconds=${seconds}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${names.DEVELOPER_TOKEN}` },
  });
  if (response.status !== 200) throw new Error(`advance: ${response.status}`);
}

// Makes the proxy throttle the next requests. Returns how many it has seen.
export async function throttle(requests) {
  return Number(await (await fetch(`${throttled}/throttle/${requests}`, { method: "POST" })).text());
}

// Returns the error of a rejected call.
export async function errorOf(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("the call was not rejected");
}
