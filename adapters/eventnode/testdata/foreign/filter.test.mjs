// Subscriptions to $all that choose by type or by stream, and their checkpoints.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { END, START, eventTypeFilter, excludeSystemEvents, streamNameFilter } from "@eventstore/db-client";
import { connect, happened, ids, newEvents, newStream, take, test } from "./log.mjs";

// mixed appends n events of each type to each stream, in turn.
async function mixed(client, n, types, streams) {
  const written = [];
  for (let i = 0; i < n; i++) {
    for (const stream of streams) {
      for (const type of types) {
        const [event] = newEvents(1, { type });
        written.push({ ...event, stream });
        await client.appendToStream(stream, event);
      }
    }
  }
  return written;
}

const run = randomUUID().slice(0, 8);
const types = [`${run}.sent.v1`, `${run}.sent.v2`, `${run}.گرفته.v1`, `another.${run}`];
const streams = [`request-${run}`, `درخواست-${run}`, `x-request-${run}`];
const sent = `^${run}\\.sent\\.v\\d$`;

const choices = {
  "types by prefix": [eventTypeFilter({ prefixes: [`${run}.sent`] }), (e) => e.type.startsWith(`${run}.sent`)],
  "types by prefixes": [eventTypeFilter({ prefixes: [`${run}.گ`, "another.", "nothing."] }), (e) => [types[2], types[3]].includes(e.type)],
  "types by expression": [eventTypeFilter({ regex: sent }), (e) => new RegExp(sent).test(e.type)],
  "streams by prefix": [streamNameFilter({ prefixes: ["request-"] }), (e) => e.stream === streams[0]],
  "streams by prefixes": [streamNameFilter({ prefixes: ["درخواست-", "x-"] }), (e) => e.stream !== streams[0]],
  "streams by expression": [streamNameFilter({ regex: "^(.-)?request-" }), (e) => e.stream !== streams[1]],
  "all but the system's": [excludeSystemEvents(), () => true],
};

for (const [name, [filter, chooses]] of Object.entries(choices)) {
  test(`${name}, from the past into the present`, async () => {
    const client = connect();
    const [first] = newEvents(1, { type: "test.first.v1" });
    const { position } = await client.appendToStream(newStream("first"), first);
    const past = await mixed(client, 5, types, streams);
    const subscription = client.subscribeToAll({ fromPosition: position, filter });
    const caughtUp = happened(subscription, "caughtUp");
    const expected = past.filter(chooses);
    const taken = take(subscription, expected.length * 2);
    await caughtUp;
    const present = await mixed(client, 5, types, streams);
    assert.ok(expected.length > 0);
    assert.deepEqual(ids(await taken), ids([...past, ...present].filter(chooses)));
  });
}

// watch follows $all through a filter, and keeps what came, until it may stop.
async function watch(client, fromPosition, options, stop) {
  const events = [], checkpoints = [];
  let stopped;
  const done = new Promise((resolve) => (stopped = resolve));
  const look = () => stop(events, checkpoints) && stopped();
  const checkpointReached = (_, position) => {
    checkpoints.push(position.commit);
    look();
  };
  const subscription = client.subscribeToAll({ fromPosition, filter: eventTypeFilter({ checkpointReached, ...options }) });
  subscription.on("data", ({ event }) => {
    events.push(event);
    look();
  });
  await Promise.race([done, new Promise((_, reject) => subscription.on("error", reject))]);
  await subscription.unsubscribe();
  return { events, checkpoints };
}

async function scattered(client, n) {
  const [first] = newEvents(1);
  const { position: before } = await client.appendToStream(newStream(), first);
  const chosen = `${randomUUID()}.chosen`, positions = [], wanted = [];
  for (let i = 1; i <= n; i++) {
    const [event] = newEvents(1, i % 7 ? {} : { type: chosen });
    if (event.type === chosen) wanted.push(event.id);
    const { position } = await client.appendToStream(newStream(), event);
    positions.push(position.commit);
  }
  return { before, chosen, positions, wanted };
}

test("checkpoints come at the interval asked for, although nothing passes", async () => {
  const client = connect(), { before, positions } = await scattered(client, 105);
  const options = { prefixes: ["nothing"], maxSearchWindow: 10, checkpointInterval: 2 };
  const { events, checkpoints } = await watch(client, before, options, (_, c) => c.at(-1) >= positions[104]);
  assert.deepEqual(events, []);
  assert.deepEqual(checkpoints, [19, 39, 59, 79, 99, 104].map((i) => positions[i])); // the last is where it caught up
});

test("checkpoints without a window count by 32", async () => {
  const client = connect(), { before, positions } = await scattered(client, 70);
  const { checkpoints } = await watch(client, before, { prefixes: ["nothing"] }, (_, c) => c.at(-1) >= positions[69]);
  assert.deepEqual(checkpoints, [31, 63, 69].map((i) => positions[i]));
});

test("checkpoints come in the present, too", async () => {
  const client = connect(), checkpoints = [];
  let enough;
  const reached = new Promise((resolve) => (enough = resolve));
  const checkpointReached = (_, { commit }) => checkpoints.push(commit) > 5 && enough();
  const filter = eventTypeFilter({ prefixes: ["nothing"], maxSearchWindow: 5, checkpointReached });
  const subscription = client.subscribeToAll({ fromPosition: END, filter });
  await happened(subscription, "caughtUp");
  const { positions } = await scattered(client, 40);
  await reached;
  assert.deepEqual(checkpoints, [...new Set(checkpoints)].sort((a, b) => (a < b ? -1 : 1)));
  for (const position of checkpoints.slice(1)) assert.ok(positions.includes(position));
});

test("from any checkpoint on comes what is behind it, once", async () => {
  const client = connect(), { before, chosen, positions, wanted } = await scattered(client, 100);
  const options = { prefixes: [chosen], maxSearchWindow: 9 };
  const all = await watch(client, before, options, (e, c) => e.length === wanted.length && c.at(-1) >= positions[99]);
  assert.deepEqual(ids(all.events), wanted);
  assert.ok(all.checkpoints.length > 10);
  const known = all.events.map(({ id, position }) => ({ id, at: position.commit }));
  for (const checkpoint of all.checkpoints) {
    const resumed = client.subscribeToAll({ fromPosition: { commit: checkpoint, prepare: checkpoint }, filter: eventTypeFilter(options) });
    const caughtUp = happened(resumed, "caughtUp");
    const events = take(resumed, known.filter(({ at }) => at > checkpoint).length + 1);
    await caughtUp;
    const [last] = newEvents(1, { type: chosen });
    const { position } = await client.appendToStream(newStream(), last);
    known.push({ id: last.id, at: position.commit });
    assert.deepEqual(ids(await events), ids(known.filter(({ at }) => at > checkpoint)));
  }
});

test("what is no expression is refused", async () => {
  const subscription = connect().subscribeToAll({ fromPosition: START, filter: eventTypeFilter({ regex: "(" }) });
  await assert.rejects(take(subscription), { code: 3 });
});
