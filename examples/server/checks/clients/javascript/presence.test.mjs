// Tests every operation of section 7's table with the JavaScript client.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { advance, graph, names } from "./graph.mjs";

const { APPLICATION, USER } = names;
const client = graph();
const path = (user) => `/users/${user}/presence`;
const shown = ({ availability, activity }) => [availability, activity];
const pair = ([availability, activity]) => ({ availability, activity });

for (const version of ["v1.0", "beta"]) {
  test(`P1: every session pair, ${version}`, async () => {
    const user = randomUUID();
    const call = (suffix) => client.api(path(user) + suffix).version(version);
    for (const [availability, activity] of names.SESSION_PAIRS) {
      await call("/setPresence").post({ sessionId: APPLICATION, availability, activity, expirationDuration: "PT1H" });
      assert.deepEqual(shown(await call("").get()), [availability, activity]);
    }
    await call("/clearPresence").post({ sessionId: APPLICATION });
    assert.deepEqual(shown(await call("").get()), ["Offline", "Offline"]);
  });
}

test("U1, U4: every preferred pair, cleared with an empty object and with nothing", async () => {
  const user = randomUUID();
  await client.api(`${path(user)}/setPresence`).post({ sessionId: APPLICATION, availability: "Away", activity: "Away" });
  for (const preferred of names.PREFERRED_PAIRS) {
    await client.api(`${path(user)}/setUserPreferredPresence`).post({ ...pair(preferred), expirationDuration: "P1D" });
    assert.deepEqual(shown(await client.api(path(user)).get()), preferred);
  }
  await client.api(`${path(user)}/clearUserPreferredPresence`).post({});
  await client.api(`${path(user)}/clearUserPreferredPresence`).post();
  assert.deepEqual(shown(await client.api(path(user)).get()), ["Away", "Away"]);
});

test("S2: a session expires", async () => {
  const user = randomUUID();
  const body = { sessionId: APPLICATION, availability: "Busy", activity: "InACall", expirationDuration: "PT5M0.5S" };
  await client.api(`${path(user)}/setPresence`).post(body);
  await advance(300.499);
  assert.equal((await client.api(path(user)).get()).activity, "InACall");
  await advance(0.001);
  assert.equal((await client.api(path(user)).get()).activity, "Offline");
});

test("section 7: all paths lead to the same presence", async () => {
  const signedIn = graph(names.USER_TOKEN);
  const routes = [[client, path(USER)], [client, `/communications/presences/${USER}`], [signedIn, "/me/presence"]];
  for (const [writer, written] of routes) {
    await writer.api(`${written}/setPresence`).post({ sessionId: APPLICATION, availability: "Busy", activity: "InACall" });
    for (const [reader, read] of routes) {
      const presence = await reader.api(read).get();
      assert.deepEqual([presence.id, ...shown(presence)], [USER, "Busy", "InACall"]);
    }
    await writer.api(`${written}/clearPresence`).post({ sessionId: APPLICATION });
  }
});

test("H3: a presence has its members in order, and $select returns only the selected ones", async () => {
  const user = randomUUID();
  await client.api(`${path(user)}/setPresence`).post({ sessionId: APPLICATION, availability: "Away", activity: "Away" });
  const presence = await client.api(path(user)).get();
  const members = Object.keys(presence).filter((name) => !name.startsWith("@"));
  assert.deepEqual(members, [
    "id",
    "availability",
    "activity",
    "outOfOfficeSettings",
    "statusMessage",
    "sequenceNumber",
    "workLocation",
  ]);
  const selected = await client.api(path(user)).select("availability,activity").get();
  assert.deepEqual(Object.keys(selected).filter((name) => !name.startsWith("@")), ["availability", "activity"]);
});

test("T1, W1: a message and a location", async () => {
  const me = graph(names.USER_TOKEN);
  const emoji = "Zażółć 🦀 \u{1F469}\u200D\u{1F4BB}";
  const message = { content: emoji, contentType: "text" };
  await me.api("/me/presence/setStatusMessage").post({ statusMessage: { message } });
  await me.api("/me/presence/setAutomaticLocation").post({ workLocationType: "remote" });
  await me.api("/me/presence/setManualLocation").post({ workLocationType: "office", placeId: "building 7" });
  const seen = await me.api("/me/presence").get();
  assert.equal(seen.statusMessage.message.content, emoji);
  assert.match(seen.statusMessage.publishedDateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
  assert.deepEqual(seen.workLocation, { workLocationType: "office", placeId: "building 7", source: "manual" });
  const expiry = new Date(Date.parse(seen.statusMessage.publishedDateTime) + 600_000).toISOString().slice(0, -1);
  const expiryDateTime = { dateTime: expiry, timeZone: "UTC" };
  await me.api("/me/presence/setStatusMessage").post({ statusMessage: { message, expiryDateTime } });
  await advance(599.999);
  assert.equal((await client.api(path(USER)).get()).statusMessage.message.content, emoji);
  await advance(0.001);
  assert.ok(!(await client.api(path(USER)).get()).statusMessage?.message?.content);
  await me.api("/me/presence/clearLocation").post();
  await me.api("/me/presence/clearAutomaticLocation").post();
  assert.deepEqual((await me.api("/me/presence").get()).workLocation, {
    workLocationType: "unspecified",
    placeId: null,
    source: "none",
  });
});

test("T1: an expiry is read as clients read it, with a Z behind it", async () => {
  const me = graph(names.USER_TOKEN);
  const message = { content: "until then", contentType: "text" };
  const set = (expiryDateTime) => me.api("/me/presence/setStatusMessage").post({ statusMessage: { message, expiryDateTime } });
  const moment = new Date(Date.UTC(2099, 1, 28, 23, 59, 59, 987));
  const texts = [moment.toISOString(), moment.toISOString().slice(0, -1), "2099-03-01T05:44:59.987+05:45", "2099-02-28T20:29:59.987-03:30"];
  for (const dateTime of texts) {
    for (const timeZone of ["UTC", null, undefined]) {
      await set({ dateTime, timeZone });
      const seen = (await me.api("/me/presence").get()).statusMessage.expiryDateTime;
      assert.equal(seen.timeZone, "UTC");
      assert.equal(new Date(`${seen.dateTime}Z`).getTime(), moment.getTime(), dateTime);
      await set({ ...seen, dateTime: `${seen.dateTime}Z` });
      assert.deepEqual((await me.api("/me/presence").get()).statusMessage.expiryDateTime, seen);
    }
  }
  await me.api("/me/presence/setStatusMessage").post({ statusMessage: null });
  assert.equal((await me.api("/me/presence").get()).statusMessage, null);
});

test("H3: a bulk of 650", async () => {
  const ids = Array.from({ length: 650 }, randomUUID);
  await client.api(`${path(ids[7])}/setPresence`).post({ sessionId: APPLICATION, availability: "Busy", activity: "InACall" });
  const { value } = await client.api("/communications/getPresencesByUserId").post({ ids });
  assert.deepEqual(value.map(({ id }) => id), ids);
  assert.deepEqual(value.flatMap(({ activity }, index) => (activity === "InACall" ? [index] : [])), [7]);
});
