// The node goes away and comes back on the same data and address.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { ANY, NO_STREAM, START, UnavailableError, streamNameFilter } from "@eventstore/db-client";
import { connect, cut, discover, doors, happened, ids, newEvents, newStream, readStream, start, stop, take, test, turn } from "./log.mjs";

const restart = async (end) => {
  await end();
  await start();
};

const ends = { stop, cut };

// away expects that the node was away. The client hands on the bare status where
// it asked for the server's features.
async function away(error) {
  assert.ok(error instanceof UnavailableError || error.code === 14, String(error));
  await turn();
}

// persist tries until the node is back: the same events are stored once.
async function persist(client, stream, events, how) {
  for (;;) {
    try {
      return await client.appendToStream(stream, events, how);
    } catch (error) {
      await away(error);
    }
  }
}

for (const [name, end] of Object.entries(ends)) {
  test(`${name}: a subscription fails as unavailable, and a new one goes on behind the last event`, async () => {
    const client = connect(), stream = newStream(), [a, b, c, d] = newEvents(4);
    const filter = streamNameFilter({ prefixes: [stream] });
    await client.appendToStream(stream, [a, b]);
    const toStream = client.subscribeToStream(stream), toAll = client.subscribeToAll({ filter });
    const failed = [toStream, toAll].map(async (subscription) => {
      const events = [];
      await assert.rejects(async () => { for await (const { event } of subscription) events.push(event); }, UnavailableError);
      return events;
    });
    await Promise.all([toStream, toAll].map((subscription) => happened(subscription, "caughtUp")));
    await restart(end);
    for (const events of failed) assert.deepEqual(ids(await events), ids([a, b]));
    await persist(client, stream, [c, d], { expectedRevision: 1n });
    const [, { revision, position }] = await failed[0];
    assert.deepEqual(ids(await take(client.subscribeToStream(stream, { fromRevision: revision }), 2)), ids([c, d]));
    assert.deepEqual(ids(await take(client.subscribeToAll({ fromPosition: position, filter }), 2)), ids([c, d]));
  });
}

test("what was answered is there after every restart, and can be repeated", async () => {
  const client = connect(), stream = newStream(), events = newEvents(6);
  let answers = [];
  for (const [i, end] of [stop, cut, cut].entries()) {
    for (const event of events.slice(2 * i, 2 * i + 2)) answers.push(await persist(client, stream, event, { expectedRevision: ANY }));
    await restart(end);
    assert.deepEqual(ids(await readStream(connect(), stream)), ids(events.slice(0, 2 * i + 2)));
  }
  for (const [i, event] of events.entries()) {
    const expectedRevision = i ? BigInt(i - 1) : NO_STREAM;
    assert.deepEqual(await persist(client, stream, event, { expectedRevision }), answers[i]);
  }
});

test("a read that is cut off fails and does not seem to be complete", async () => {
  const client = connect(), stream = newStream(), n = 3000;
  await persist(client, stream, newEvents(n), { expectedRevision: NO_STREAM });
  const reading = client.readStream(stream)[Symbol.asyncIterator]();
  await reading.next();
  await restart(cut);
  await assert.rejects(async () => { while (!(await reading.next()).done); }, UnavailableError);
  assert.equal((await readStream(connect(), stream)).length, n);
});

// A client that is slow may be cut off even by a node that stops in peace.
test("a read that is under way while the node stops is complete or fails", async () => {
  const client = connect(), stream = newStream(), n = 3000;
  await persist(client, stream, newEvents(n), { expectedRevision: NO_STREAM });
  const reading = client.readStream(stream);
  await reading[Symbol.asyncIterator]().next();
  const [read, stopped] = await Promise.allSettled([take(reading), restart(stop)]);
  assert.equal(stopped.reason, undefined);
  if (read.status === "fulfilled") assert.equal(read.value.length, n - 1);
  else assert.ok(read.reason instanceof UnavailableError, String(read.reason));
});

// follow reads through every restart, from the last event or checkpoint on, until
// it has n events.
async function follow(client, prefixes, n) {
  const events = [];
  let at = START, checkpoints = 0;
  const checkpointReached = async (subscription, position) => {
    do await setTimeout(1); while (subscription.readableLength > 0 && !subscription.destroyed); // what stands before it comes first
    if (subscription.destroyed) return;
    at = position;
    checkpoints++;
  };
  for (; events.length < n; await turn()) {
    const filter = streamNameFilter({ prefixes, maxSearchWindow: 16, checkpointReached });
    const subscription = client.subscribeToAll({ fromPosition: at, filter });
    try {
      for await (const { event } of subscription) {
        events.push(event);
        at = event.position;
        if (events.length === n) break;
      }
    } catch (error) {
      await away(error);
    }
  }
  assert.ok(checkpoints > 0);
  return events;
}

for (const [door, through] of Object.entries(doors)) {
  test(`${door}: a flood through restarts, and who follows it`, async () => {
    const writers = 16, each = 30, total = writers * each;
    const due = new Map([[total / 4, cut], [total / 2, stop], [(total * 3) / 4, cut]]);
    const prefix = newStream("flood"), other = newStream("other");
    const client = connect(); // one for all: the failure of one connection empties a table that all clients share
    const following = [connect(), discover()].map((follower) => follow(follower, [prefix], total));
    let acknowledged = 0;
    const restarts = [];
    const written = await Promise.all(Array.from({ length: writers }, async (_, w) => {
      const stream = `${prefix}-${w}`, events = newEvents(each);
      for (const [i, event] of events.entries()) {
        const expectedRevision = i ? BigInt(i - 1) : NO_STREAM;
        const { nextExpectedRevision } = await persist(client, stream, event, { expectedRevision, ...through });
        assert.equal(nextExpectedRevision, BigInt(i));
        await persist(client, other, newEvents(1), { expectedRevision: ANY, ...through });
        const end = due.get(++acknowledged);
        if (end) restarts.push(restart(end));
      }
      return { stream, events };
    }));
    await Promise.all(restarts);
    assert.equal(restarts.length, 3);
    for (const seen of [...(await Promise.all(following)), await take(connect().readAll())]) {
      for (const { stream, events } of written) {
        assert.deepEqual(ids(seen.filter(({ streamId }) => streamId === stream)), ids(events));
      }
    }
  });
}

test("who does not read keeps no node from stopping", async () => {
  const client = connect(), stream = newStream();
  await happened(client.subscribeToStream(stream), "caughtUp");
  await connect().appendToStream(stream, newEvents(2000, { metadata: { fill: "x".repeat(300) } }), { expectedRevision: NO_STREAM });
  await restart(stop);
  assert.equal((await readStream(connect(), stream)).length, 2000);
});
