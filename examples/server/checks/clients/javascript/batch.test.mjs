// Tests batches with the JavaScript client. Rule H5.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { BatchRequestContent, BatchResponseContent } from "@microsoft/microsoft-graph-client";
import { errorOf, graph, names, url } from "./graph.mjs";

const { APPLICATION } = names;
const client = graph();
const set = { sessionId: APPLICATION, availability: "Busy", activity: "InACall" };

const element = (id, method, path, body, dependsOn) => ({
  id,
  method,
  url: path,
  ...(body && { headers: { "Content-Type": "application/json" }, body }),
  ...(dependsOn && { dependsOn }),
});
const send = async (requests) => (await client.api("/$batch").post({ requests })).responses;

test("a batch of 20, in order", async () => {
  const users = Array.from({ length: 10 }, randomUUID);
  const requests = users.flatMap((user, number) => [
    element(`set${number}`, "POST", `/users/${user}/presence/setPresence`, set),
    element(`get${number}`, "GET", `/users/${user}/presence`, undefined, [`set${number}`]),
  ]);
  const responses = await send(requests);
  assert.deepEqual(responses.map(({ id }) => id), requests.map(({ id }) => id));
  assert.deepEqual(responses.map(({ status }) => status), requests.map(() => 200));
  for (const [number, user] of users.entries()) {
    const { body } = responses[2 * number + 1];
    assert.deepEqual([body.id, body.availability, body.activity], [user, "Busy", "InACall"]);
  }
});

test("only the dependents of a failed element fail", async () => {
  const user = randomUUID();
  const path = `/users/${user}/presence`;
  const responses = await send([
    element("clear", "POST", `${path}/clearPresence`, { sessionId: APPLICATION }),
    element("set", "POST", `${path}/setPresence`, set, ["clear"]),
    element("get", "GET", path, undefined, ["set"]),
    element("other", "GET", path),
  ]);
  assert.deepEqual(responses.map(({ status }) => status), [404, 424, 424, 200]);
  assert.deepEqual(responses.map(({ body }) => body.error?.code), ["NotFound", "FailedDependency", "FailedDependency", undefined]);
  assert.equal(responses[3].body.activity, "Offline");
});

test("a batch that the client builds", async () => {
  const path = `/users/${randomUUID()}/presence`;
  const post = (target, body) =>
    new Request(`${url}/v1.0${target}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const content = new BatchRequestContent([
    { id: "1", request: post(`${path}/setPresence`, set) },
    { id: "2", request: new Request(`${url}/v1.0${path}`, { method: "GET" }), dependsOn: ["1"] },
  ]);
  const response = new BatchResponseContent(await client.api("/$batch").post(await content.getContent()));
  assert.equal(response.getResponseById("1").status, 200);
  const presence = await response.getResponseById("2").json();
  assert.deepEqual([presence.availability, presence.activity], ["Busy", "InACall"]);
});

test("malformed batches are rejected as a whole", async () => {
  const get = (id) => element(id, "GET", `/users/${randomUUID()}/presence`);
  const many = Array.from({ length: 21 }, (_, number) => get(`${number}`));
  const nested = [element("1", "POST", "/$batch", { requests: [get("1")] })];
  for (const requests of [[], many, [get("1"), get("1")], nested, [{ method: "GET", url: "/me/presence" }]]) {
    const { statusCode, code } = await errorOf(send(requests));
    assert.deepEqual([statusCode, code], [400, "InvalidArgument"]);
  }
});
