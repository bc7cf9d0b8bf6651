// What an append does, expects and refuses, through both of its doors.
import assert from "node:assert/strict";
import {
  ANY, NO_STREAM, STREAM_EXISTS,
  binaryEvent, jsonEvent,
  AccessDeniedError, DeadlineExceededError, MaxAppendSizeExceededError, WrongExpectedVersionError,
} from "@eventstore/db-client";
import { connect, doors, ids, newEvents, newStream, readStream, test } from "./log.mjs";

const limit = 1 << 20; // bytes of one append

const listed = (value) => (value instanceof Uint8Array ? [...value] : value);

for (const [door, through] of Object.entries(doors)) {
  const append = (client, stream, events, expectedRevision, more) =>
    client.appendToStream(stream, events, { expectedRevision, ...through, ...more });

  // refused expects an append that fails so and stores nothing.
  async function refused(client, stream, events, expected, actual) {
    const before = await readStream(client, stream).catch(() => []);
    await assert.rejects(append(client, stream, events, expected), (error) => {
      assert.ok(error instanceof WrongExpectedVersionError, String(error));
      assert.equal(error.streamName, stream);
      assert.equal(error.expectedVersion, expected);
      assert.equal(error.actualVersion, actual);
      return true;
    });
    const after = await readStream(client, stream).catch(() => []);
    assert.deepEqual(ids(after), ids(before));
  }

  test(`${door}: any revision`, async () => {
    const client = connect(), stream = newStream();
    const first = await append(client, stream, newEvents(1), ANY);
    assert.ok(first.success);
    assert.equal(first.nextExpectedRevision, 0n);
    assert.equal(first.position.commit, first.position.prepare);
    const second = await append(client, stream, newEvents(3), ANY);
    assert.equal(second.nextExpectedRevision, 3n);
    assert.ok(second.position.commit > first.position.commit);
    const stored = await readStream(client, stream);
    assert.deepEqual(stored.map(({ revision }) => revision), [0n, 1n, 2n, 3n]);
    assert.deepEqual(stored[3].position, second.position);
  });

  test(`${door}: no stream`, async () => {
    const client = connect(), stream = newStream();
    assert.equal((await append(client, stream, newEvents(1), NO_STREAM)).nextExpectedRevision, 0n);
    await refused(client, stream, newEvents(1), NO_STREAM, 0n);
  });

  test(`${door}: the stream exists`, async () => {
    const client = connect(), stream = newStream();
    await refused(client, stream, newEvents(1), STREAM_EXISTS, "no_stream");
    await append(client, stream, newEvents(1), NO_STREAM);
    assert.equal((await append(client, stream, newEvents(1), STREAM_EXISTS)).nextExpectedRevision, 1n);
  });

  test(`${door}: one revision`, async () => {
    const client = connect(), stream = newStream();
    await refused(client, stream, newEvents(1), 0n, "no_stream");
    await append(client, stream, newEvents(3), NO_STREAM);
    await refused(client, stream, newEvents(1), 0n, 2n);
    await refused(client, stream, newEvents(1), 9n, 2n);
    assert.equal((await append(client, stream, newEvents(2), 2n)).nextExpectedRevision, 4n);
  });

  test(`${door}: no events`, async () => {
    const client = connect(), stream = newStream();
    const nothing = await append(client, stream, [], ANY);
    assert.ok(nothing.success);
    assert.equal(nothing.position, undefined);
    await append(client, stream, newEvents(2), NO_STREAM);
    assert.equal((await append(client, stream, [], 1n)).nextExpectedRevision, 1n);
    await refused(client, stream, [], 7n, 1n);
  });

  test(`${door}: a repetition is answered as the first try was`, async () => {
    const client = connect(), stream = newStream();
    const [a, b, c, d] = newEvents(4), later = newEvents(2);
    const first = await append(client, stream, [a, b, c], NO_STREAM);
    const second = await append(client, stream, later, 2n);
    assert.deepEqual(await append(client, stream, [a, b, c], NO_STREAM), first);
    assert.deepEqual(await append(client, stream, later, 2n), second);
    const stored = await readStream(client, stream);
    assert.deepEqual(ids(stored), ids([a, b, c, ...later]));
    const part = await append(client, stream, [a, b], NO_STREAM);
    assert.equal(part.nextExpectedRevision, 1n);
    assert.deepEqual(part.position, stored[1].position);
    for (const conflict of [[a, b, c, d], [b, a], [a, d], [d]]) {
      await refused(client, stream, conflict, NO_STREAM, 4n);
    }
    await refused(client, stream, [...later, d], 2n, 4n);
  });

  test(`${door}: a repetition at any revision`, async () => {
    const client = connect(), stream = newStream(), events = newEvents(3);
    const first = await append(client, stream, events, ANY);
    await append(client, stream, newEvents(2), ANY);
    for (const expected of [ANY, STREAM_EXISTS]) assert.deepEqual(await append(client, stream, events, expected), first);
    assert.equal((await readStream(client, stream)).length, 5);
  });

  test(`${door}: a failure may be an answer instead of an error`, async () => {
    const client = connect("&throwOnAppendFailure=false"), stream = newStream();
    const missing = await append(client, stream, newEvents(1), 5n);
    assert.deepEqual(missing, { success: false, nextExpectedRevision: -1n, position: undefined });
    await append(client, stream, newEvents(2), NO_STREAM);
    // From a batch the client takes "there is a revision" for the revision: one.
    const behind = await append(client, stream, newEvents(1), NO_STREAM);
    assert.deepEqual(behind, { success: false, nextExpectedRevision: 1n, position: undefined });
    assert.equal((await readStream(client, stream)).length, 2);
  });

  test(`${door}: too large`, async () => {
    const client = connect(), stream = newStream();
    const events = door === "BatchAppend" ? newEvents(40_000) : newEvents(3000, { metadata: { fill: "x".repeat(500) } });
    await assert.rejects(append(client, stream, events, ANY), (error) => {
      assert.ok(error instanceof MaxAppendSizeExceededError, String(error));
      assert.equal(error.maxAppendSize, limit);
      return true;
    });
    assert.equal((await append(client, stream, newEvents(1), NO_STREAM)).nextExpectedRevision, 0n);
  });

  test(`${door}: the limit counts data, metadata and twice the type`, async () => {
    const client = connect(), stream = newStream(), type = "test.large.v1";
    const sized = (n) => binaryEvent({ type, data: Buffer.alloc(n - 100 - 2 * type.length), metadata: Buffer.alloc(100, 1) });
    await append(client, stream, [sized(limit / 2), sized(limit / 2)], NO_STREAM);
    await assert.rejects(append(client, stream, [sized(limit / 2), sized(limit / 2 + 1)], 1n), MaxAppendSizeExceededError);
    assert.deepEqual((await readStream(client, stream)).map(({ data }) => data.length), Array(2).fill(limit / 2 - 100 - 2 * type.length));
  });

  test(`${door}: in many pieces on the way, in one piece in the log`, async () => {
    const client = connect(), stream = newStream(), events = newEvents(500);
    const result = await append(client, stream, events, NO_STREAM, { batchAppendSize: 1024 });
    assert.equal(result.nextExpectedRevision, 499n);
    assert.deepEqual(ids(await readStream(client, stream)), ids(events));
  });

  test(`${door}: events come back as they went`, async () => {
    const client = connect(), stream = newStream("سند-۱۲"), before = new Date();
    const sent = [
      jsonEvent({ type: "گواهی.صادر شد", data: { نام: "آزمون", n: 0.1, list: [null, {}] }, metadata: { $correlationId: "ک" } }),
      binaryEvent({ type: "test.bytes.v1", data: Buffer.from(Array.from({ length: 256 }, (_, i) => i)), metadata: Buffer.from([255, 0, 254]) }),
      binaryEvent({ type: "test.empty.v1", data: Buffer.alloc(0) }),
    ];
    const result = await append(client, stream, sent, NO_STREAM);
    const stored = await readStream(client, stream);
    const after = new Date();
    assert.deepEqual(
      stored.map(({ id, type, data, metadata, isJson }) => ({ id, type, data: listed(data), metadata: listed(metadata), isJson })),
      sent.map(({ id, type, data, metadata, contentType }) => ({ id, type, data: listed(data), metadata: listed(metadata), isJson: contentType === "application/json" })),
    );
    for (const { streamId, created } of stored) {
      assert.equal(streamId, stream);
      assert.ok(before <= created && created <= after, `${created.toISOString()} is not between ${before.toISOString()} and ${after.toISOString()}`);
    }
    assert.deepEqual(stored[2].position, result.position);
    assert.ok(stored[0].position.commit < stored[1].position.commit);
  });

  test(`${door}: what comes after its deadline is not stored`, async () => {
    const client = connect(), stream = newStream();
    await assert.rejects(append(client, stream, newEvents(1), ANY, { deadline: -1000 }), DeadlineExceededError);
    assert.equal((await append(client, stream, newEvents(1), NO_STREAM)).nextExpectedRevision, 0n);
  });

  test(`${door}: the system's streams belong to nobody`, async () => {
    await assert.rejects(append(connect(), `$${newStream()}`, newEvents(1), ANY), AccessDeniedError);
  });

  test(`${door}: an event without type spoils its own append alone`, async () => {
    const client = connect(), stream = newStream(), other = newStream();
    const [bad, good] = await Promise.allSettled([
      append(client, stream, [...newEvents(1), jsonEvent({ type: "", data: {} })], ANY),
      append(client, other, newEvents(1), NO_STREAM),
    ]);
    assert.equal(bad.status, "rejected");
    assert.equal(good.value?.nextExpectedRevision, 0n);
    await append(client, stream, newEvents(1), NO_STREAM);
  });
}
