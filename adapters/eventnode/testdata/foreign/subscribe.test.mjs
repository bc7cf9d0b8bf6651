// Subscriptions to streams and to $all: nothing lost, doubled or out of order.
import assert from "node:assert/strict";
import { once } from "node:events";
import { END, NO_STREAM, START, streamNameFilter } from "@eventstore/db-client";
import { connect, happened, ids, newEvents, newStream, take, test } from "./log.mjs";

// live is a subscription that has confirmed itself and caught up, in this order.
async function live(subscription) {
  const order = [];
  subscription.once("confirmation", () => order.push("confirmation"));
  await happened(subscription, "caughtUp");
  assert.deepEqual(order, ["confirmation"]);
  return subscription;
}

// What comes must end with the last event: a doubled one would come before it.
test("a stream from its start, a revision and its end", async () => {
  const client = connect(), stream = newStream(), past = newEvents(10), present = newEvents(10);
  await client.appendToStream(stream, past, { expectedRevision: NO_STREAM });
  const all = [...past, ...present];
  const taken = await Promise.all([[START, 0], [0n, 1], [4n, 5], [9n, 10], [END, 10]].map(async ([fromRevision, from]) => {
    const subscription = client.subscribeToStream(stream, { fromRevision });
    const caughtUp = live(subscription), events = take(subscription, 20 - from);
    await caughtUp;
    return { events, expected: all.slice(from) };
  }));
  for (const event of present) await client.appendToStream(stream, event);
  for (const { events, expected } of taken) assert.deepEqual(ids(await events), ids(expected));
});

test("a stream that is not there yet", async () => {
  const client = connect(), stream = newStream("هنوز"), events = newEvents(3);
  const subscription = await live(client.subscribeToStream(stream));
  await client.appendToStream(stream, events);
  assert.deepEqual(ids(await take(subscription, 3)), ids(events));
});

test("$all from its start, a position and its end", async () => {
  const client = connect(), stream = newStream(), past = newEvents(5), present = newEvents(5);
  await client.appendToStream(stream, past);
  const before = await take(client.readAll());
  const all = [...before, ...present];
  const middle = before.length - 3;
  const taken = await Promise.all([[START, 0], [before[middle].position, middle + 1], [before.at(-1).position, before.length], [END, before.length]].map(async ([fromPosition, from]) => {
    const subscription = client.subscribeToAll({ fromPosition });
    const caughtUp = live(subscription), events = take(subscription, all.length - from);
    await caughtUp;
    return { events, expected: all.slice(from) };
  }));
  for (const event of present) await client.appendToStream(newStream(), event);
  for (const { events, expected } of taken) assert.deepEqual(ids(await events), ids(expected));
});

// flood appends to its streams, many at once, until all is there.
const flood = (client, streams, n) =>
  Promise.all(streams.flatMap((stream) => newEvents(n, { metadata: { fill: "x".repeat(500) } }).map((event) => client.appendToStream(stream, event))));

// complete tells that each stream is there from its first revision on, in order.
function complete(events, streams, n) {
  assert.equal(events.length, streams.length * n);
  for (const stream of streams) {
    const revisions = events.filter(({ streamId }) => streamId === stream).map(({ revision }) => revision);
    assert.deepEqual(revisions, Array.from({ length: n }, (_, i) => BigInt(i)));
  }
  for (let i = 1; i < events.length; i++) assert.ok(events[i].position.commit > events[i - 1].position.commit);
}

test("catching up while a flood goes on", async () => {
  const client = connect(), other = connect(), n = 200;
  const streams = Array.from({ length: 5 }, () => newStream("flood"));
  await flood(other, streams, n);
  const flooding = flood(other, streams, n);
  const filtered = () => client.subscribeToAll({ filter: streamNameFilter({ prefixes: streams }) });
  const following = [0, 1, 2].map(() => take(filtered(), streams.length * 2 * n));
  const single = streams.map((stream) => take(client.subscribeToStream(stream), 2 * n));
  await flooding;
  for (const events of following) complete(await events, streams, 2 * n);
  for (const [i, events] of single.entries()) complete(await events, [streams[i]], 2 * n);
});

test("who does not read falls behind, loses nothing and holds nobody up", async () => {
  const client = connect(), other = connect(), stream = newStream("slow"), n = 3000;
  const slow = await live(client.subscribeToStream(stream));
  const quick = take(client.subscribeToStream(stream), n);
  await flood(other, [stream], n);
  complete(await quick, [stream], n);
  assert.ok(slow.readableLength < 100, "the slow one was read ahead for");
  const again = happened(slow, "caughtUp"), events = take(slow, n + 1);
  await again; // it had fallen behind
  await client.appendToStream(stream, newEvents(1));
  complete(await events, [stream], n + 1);
});

test("fifty subscriptions of one client", async () => {
  const client = connect(), stream = newStream(), events = newEvents(20);
  const subscriptions = await Promise.all(Array.from({ length: 50 }, () => live(client.subscribeToStream(stream))));
  const taken = subscriptions.map((subscription) => take(subscription, 20));
  for (const event of events) await client.appendToStream(stream, event);
  for (const seen of taken) assert.deepEqual(ids(await seen), ids(events));
});

test("who unsubscribes hears no more, and the others go on", async () => {
  const client = connect(), stream = newStream();
  const [leaving, staying] = await Promise.all([0, 1].map(() => live(client.subscribeToStream(stream))));
  const heard = [];
  leaving.on("data", ({ event }) => heard.push(event.id));
  const first = once(leaving, "data");
  const events = newEvents(2);
  await client.appendToStream(stream, events[0]);
  await first;
  const ended = once(leaving, "end");
  await leaving.unsubscribe();
  await ended;
  await client.appendToStream(stream, events[1]);
  assert.deepEqual(ids(await take(staying, 2)), ids(events));
  assert.deepEqual(heard, [events[0].id]);
});
