// Reading streams and $all, in both directions, from anywhere, any number.
import assert from "node:assert/strict";
import { BACKWARDS, END, FORWARDS, NO_STREAM, START, binaryEvent, StreamNotFoundError } from "@eventstore/db-client";
import { connect, ids, newEvents, newStream, readStream, take, test } from "./log.mjs";

const huge = [Number.MAX_SAFE_INTEGER, 2n ** 63n - 1n, 2n ** 64n - 1n];

async function filled(n) {
  const client = connect(), stream = newStream(), events = newEvents(n);
  await client.appendToStream(stream, events, { expectedRevision: NO_STREAM });
  return { client, stream, events };
}

test("a stream forwards", async () => {
  const { client, stream, events } = await filled(10);
  const read = async (how, from, to) => assert.deepEqual(ids(await readStream(client, stream, how)), ids(events.slice(from, to)));
  await read({}, 0, 10);
  await read({ direction: FORWARDS, fromRevision: START, maxCount: 3 }, 0, 3);
  await read({ fromRevision: 4n }, 4, 10);
  await read({ fromRevision: 4n, maxCount: 2 }, 4, 6);
  await read({ fromRevision: 9n }, 9, 10);
  await read({ fromRevision: 10n }, 10);
  await read({ fromRevision: 1_000_000n }, 10);
  await read({ fromRevision: END }, 10);
  for (const maxCount of huge) await read({ fromRevision: 2n, maxCount }, 2, 10);
});

test("a stream backwards", async () => {
  const { client, stream, events } = await filled(10);
  const reversed = [...events].reverse();
  const read = async (how, from, to) =>
    assert.deepEqual(ids(await readStream(client, stream, { direction: BACKWARDS, ...how })), ids(reversed.slice(from, to)));
  await read({ fromRevision: END }, 0, 10);
  await read({ fromRevision: END, maxCount: 1 }, 0, 1);
  await read({ fromRevision: 4n }, 5, 10);
  await read({ fromRevision: 4n, maxCount: 2 }, 5, 7);
  await read({ fromRevision: 0n }, 9, 10);
  await read({ fromRevision: START }, 9, 10);
  await read({ fromRevision: 1_000_000n, maxCount: 2 }, 0, 2);
  for (const maxCount of huge) await read({ fromRevision: END, maxCount }, 0, 10);
});

test("a missing stream", async () => {
  const client = connect(), stream = newStream("نیست");
  for (const how of [{}, { direction: BACKWARDS, fromRevision: END }, { fromRevision: 7n, maxCount: 1 }]) {
    await assert.rejects(readStream(client, stream, how), (error) => {
      assert.ok(error instanceof StreamNotFoundError, String(error));
      assert.equal(error.streamName, stream);
      return true;
    });
  }
  assert.deepEqual(await client.getStreamMetadata(stream), { streamName: stream });
});

test("names that are beginnings of each other, and odd ones", async () => {
  const client = connect(), root = newStream();
  for (const name of [root, `${root}-`, `${root}-a`, `${root}\u0000`, `${root}/%٪😀`, ` ${root} `]) {
    const events = newEvents(2);
    await client.appendToStream(name, events, { expectedRevision: NO_STREAM });
    const stored = await readStream(client, name);
    assert.deepEqual(ids(stored), ids(events));
    assert.equal(stored[0].streamId, name);
  }
});

test("$all in both directions", async () => {
  const a = await filled(5), b = await filled(5);
  const client = connect(), all = await take(client.readAll());
  const mine = all.filter(({ streamId }) => [a.stream, b.stream].includes(streamId));
  assert.deepEqual(ids(mine), ids([...a.events, ...b.events]));
  const [from, ...rest] = mine;
  assert.deepEqual(ids(await take(client.readAll({ fromPosition: from.position }))), ids(mine));
  assert.deepEqual(ids(await take(client.readAll({ fromPosition: from.position, maxCount: 3 }))), ids(mine.slice(0, 3)));
  assert.deepEqual(ids(await take(client.readAll({ fromPosition: END }))), []);
  const back = (how) => take(client.readAll({ direction: BACKWARDS, ...how }));
  assert.deepEqual(ids(await back({ fromPosition: END })), ids(all).reverse());
  assert.deepEqual(ids(await back({ fromPosition: END, maxCount: 9 })), ids(rest).reverse());
  assert.deepEqual(ids(await back({ fromPosition: START })), []);
  const middle = mine[4].position;
  const [included] = await back({ fromPosition: middle, maxCount: 1 });
  assert.ok(included.position.commit <= middle.commit);
  for (const maxCount of huge) assert.equal((await take(client.readAll({ maxCount }))).length, all.length);
});

test("many events, and large ones", async () => {
  const { client, stream, events } = await filled(3000);
  assert.deepEqual(ids(await readStream(client, stream)), ids(events));
  assert.deepEqual(ids(await readStream(client, stream, { direction: BACKWARDS, fromRevision: END })), ids(events).reverse());
  const large = newStream(), data = Buffer.alloc(1_000_000, 7);
  for (let i = 0; i < 4; i++) await client.appendToStream(large, binaryEvent({ type: "test.large.v1", data }));
  const stored = await readStream(client, large);
  assert.equal(stored.length, 4);
  for (const event of stored) assert.ok(data.equals(event.data));
});

test("a reader that goes away early", async () => {
  const { client, stream, events } = await filled(3000);
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(ids(await take(client.readStream(stream), 1 + i)), ids(events.slice(0, 1 + i)));
  }
});

test("a reader that is slow gets what there was when it began", async () => {
  const { client, stream, events } = await filled(3000);
  const reading = client.readStream(stream);
  const { value } = await reading[Symbol.asyncIterator]().next();
  await connect().appendToStream(stream, newEvents(10));
  assert.deepEqual(ids([value.event, ...(await take(reading))]), ids(events));
});
