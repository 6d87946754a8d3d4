// Tests the errors that the JavaScript client receives, and its retries when it is throttled. Rules H1, H2.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { GraphError } from "@microsoft/microsoft-graph-client";
import { errorOf, graph, names, throttle, throttled } from "./graph.mjs";

const { APPLICATION, OTHER_APPLICATION, OTHER_USER } = names;
const client = graph();
const set = { sessionId: APPLICATION, availability: "Away", activity: "Away" };

async function assertRejected(call, statusCode, code, message) {
  const error = await errorOf(call);
  assert.ok(error instanceof GraphError, String(error));
  assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
  assert.ok(error.requestId, "no request id");
  if (message) assert.equal(error.message, message);
}

test("H1: bodies", async () => {
  const path = `/users/${randomUUID()}/presence`;
  const bad = (action, body, message) => assertRejected(client.api(`${path}/${action}`).post(body), 400, "InvalidArgument", message);
  await bad("setPresence", { ...set, sessionId: undefined }, "[SessionId]: The SessionId field is required.");
  await bad("clearPresence", {}, "[SessionId]: The SessionId field is required.");
  await bad("setPresence", { ...set, expirationDuration: "PT4M" }, "The provided [ExpirationDuration] is out of range.");
  await bad("setPresence", { ...set, expirationDuration: "P1W" }, "The provided [ExpirationDuration] is out of range.");
  await bad("setPresence", { ...set, expirationDuration: "P1M" });
  await bad("setPresence", { ...set, expirationDuration: "banana" });
  await bad("setPresence", { ...set, sessionId: "me" });
  await bad("setPresence", { ...set, availability: "Busy" });
  await bad("setUserPreferredPresence", { availability: "Busy", activity: "InACall" });
  await assertRejected(client.api(`${path}/clearPresence`).post({ sessionId: APPLICATION }), 404, "NotFound");
});

test("H1: callers", async () => {
  const path = `/users/${OTHER_USER}/presence`;
  await assertRejected(graph("unknown").api(path).get(), 401, "Unauthorized");
  await assertRejected(graph(names.USER_TOKEN).api(`${path}/setPresence`).post(set), 401, "Unauthorized");
  await assertRejected(graph(names.OTHER_APPLICATION_TOKEN).api(`${path}/setPresence`).post(set), 403, "Forbidden");
  await assertRejected(client.api(`${path}/clearPresence`).post({ sessionId: OTHER_APPLICATION }), 403, "Forbidden");
});

test("section 7: paths, methods, media types", async () => {
  const path = `/users/${OTHER_USER}/presence`;
  await assertRejected(client.api(`${path}/setEverything`).post({}), 404, "NotFound");
  await assertRejected(client.api("/users/someone%40example.com/presence").get(), 404, "NotFound");
  await assertRejected(client.api(`${path}/setPresence`).get(), 405, "MethodNotAllowed");
  await assertRejected(client.api(path).delete(), 405, "MethodNotAllowed");
  const text = client.api(`${path}/setPresence`).header("Content-Type", "text/plain");
  assert.equal((await errorOf(text.post(JSON.stringify(set)))).statusCode, 415);
});

test("H1: a throttled client retries, and gives up in the end", async () => {
  const path = `/users/${randomUUID()}/presence`;
  const patient = graph(names.APPLICATION_TOKEN, throttled);
  const before = await throttle(2);
  await patient.api(`${path}/setPresence`).post(set);
  assert.equal((await throttle(1)) - before, 3);
  assert.equal((await patient.api(path).get()).activity, "Away");
  await throttle(4);
  assert.equal((await errorOf(patient.api(path).get())).statusCode, 429);
});
