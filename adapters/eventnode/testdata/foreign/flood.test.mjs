// Thousands of appends at once: each stored once, in its stream's order.
import assert from "node:assert/strict";
import { ANY, NO_STREAM, WrongExpectedVersionError } from "@eventstore/db-client";
import { connect, doors, ids, newEvents, newStream, readStream, take, test } from "./log.mjs";

test("the client finds BatchAppend among the server's features", async () => {
  const { capabilities } = connect();
  const features = await capabilities;
  assert.match(features.serverVersion, /^24\.10\.\d+$/);
  assert.ok(features.supports({ path: "/event_store.client.streams.Streams/BatchAppend" }));
});

for (const [door, through] of Object.entries(doors)) {
  const each = door === "BatchAppend" ? 50 : 20;
  test(`${door}: ${40 * each} calls at once, forty streams`, async () => {
    const client = connect();
    const streams = Array.from({ length: 40 }, () => ({ name: newStream(), events: newEvents(each) }));
    await client.appendToStream(newStream(), newEvents(1), through); // the first call of all is late: it opens the road
    const calls = [];
    for (let i = 0; i < each; i++) {
      for (const { name, events } of streams) {
        calls.push(client.appendToStream(name, events[i], { expectedRevision: ANY, ...through }).then((result) => ({ name, id: events[i].id, ...result })));
      }
    }
    const answers = await Promise.all(calls);
    for (const { name, events } of streams) {
      const stored = await readStream(client, name);
      if (door === "BatchAppend") assert.deepEqual(ids(stored), ids(events)); // all went one after the other
      assert.deepEqual(ids(stored).sort(), ids(events).sort());
      for (const answer of answers.filter((a) => a.name === name)) {
        const event = stored[Number(answer.nextExpectedRevision)];
        assert.equal(event.id, answer.id);
        assert.deepEqual(event.position, answer.position);
      }
    }
  });

  test(`${door}: of 200 at once that expect the same revision one wins`, async () => {
    const client = connect("&throwOnAppendFailure=false"), stream = newStream();
    for (const [expectedRevision, head] of [[NO_STREAM, 0n], [0n, 1n], [1n, 2n]]) {
      const answers = await Promise.all(newEvents(200).map((event) => client.appendToStream(stream, event, { expectedRevision, ...through })));
      const won = answers.filter(({ success }) => success);
      assert.deepEqual(won.map(({ nextExpectedRevision }) => nextExpectedRevision), [head]);
    }
    assert.equal((await readStream(client, stream)).length, 3);
  });

  test(`${door}: four clients read and append until each has its turn`, async () => {
    const stream = newStream(), turns = 15;
    const append = async (client, event) => {
      for (let expectedRevision = NO_STREAM; ;) {
        try {
          return await client.appendToStream(stream, event, { expectedRevision, ...through });
        } catch (error) {
          assert.ok(error instanceof WrongExpectedVersionError, String(error));
          expectedRevision = error.actualVersion;
        }
      }
    };
    const written = await Promise.all(Array.from({ length: 4 }, async () => {
      const client = connect(), events = newEvents(turns);
      for (const event of events) await append(client, event);
      return ids(events);
    }));
    const stored = ids(await readStream(connect(), stream));
    assert.equal(stored.length, 4 * turns);
    for (const own of written) assert.deepEqual(stored.filter((id) => own.includes(id)), own);
  });
}

test("pieces of many large appends mix on the way and not in the log", async () => {
  const client = connect(), stream = newStream();
  const batches = Array.from({ length: 40 }, (_, batch) => newEvents(50, { data: { batch, fill: "x".repeat(200) } }));
  await Promise.all(batches.map((events) => client.appendToStream(stream, events, { expectedRevision: ANY, batchAppendSize: 1024 })));
  const stored = await readStream(client, stream);
  assert.equal(stored.length, 2000);
  for (let i = 0; i < stored.length; i += 50) {
    assert.deepEqual(ids(stored.slice(i, i + 50)), ids(batches[stored[i].data.batch]));
  }
});

test("a refusal in the midst of a flood refuses one", async () => {
  const client = connect("&throwOnAppendFailure=false"), stream = newStream();
  const answers = await Promise.all(newEvents(900).map((event, i) => client.appendToStream(stream, event, { expectedRevision: i % 3 ? ANY : 10_000n })));
  assert.equal(answers.filter(({ success }) => success).length, 600);
  assert.equal((await readStream(client, stream)).length, 600);
});

test("$all holds the whole flood in one order", async () => {
  const client = connect();
  const streams = new Map();
  let last = -1n;
  for (const { streamId, revision, position } of await take(client.readAll())) {
    assert.ok(position.commit > last);
    last = position.commit;
    assert.equal(revision, streams.get(streamId) ?? 0n);
    streams.set(streamId, revision + 1n);
  }
  assert.ok(streams.size > 80);
});
