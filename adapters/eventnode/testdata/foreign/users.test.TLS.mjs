// Who may use a node with users, and how it is found out that it is the node.
import assert from "node:assert/strict";
import { AccessDeniedError, NO_STREAM, UnavailableError } from "@eventstore/db-client";
import { address, connect, connectTo, ids, newEvents, newStream, options, readStream, take, test, users, who } from "./log.mjs";

const [user, other] = users;
const as = (someone, more = "") => connectTo(`esdb://${who(someone)}${address}?${options}${more}`);

const calls = {
  "append by BatchAppend": (client, stream) => client.appendToStream(stream, newEvents(1)),
  "read a stream": (client, stream) => readStream(client, stream),
  "read $all": (client) => take(client.readAll()),
  "subscribe to a stream": (client, stream) => take(client.subscribeToStream(stream)),
  "subscribe to $all": (client) => take(client.subscribeToAll()),
  "delete": (client, stream) => client.deleteStream(stream),
};

async function refused(client, calls) {
  const stream = newStream();
  await connect().appendToStream(stream, newEvents(1), { expectedRevision: NO_STREAM });
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call(client, stream), AccessDeniedError, name);
  }
  assert.equal((await readStream(connect(), stream)).length, 1);
}

test("nobody", () => refused(as(), calls));

test("a wrong password", () => refused(as({ ...user, password: "p" }), calls));

test("somebody else's password", () => refused(as({ ...user, password: other.password }), { read: calls["read a stream"] }));

test("an unknown name", () => refused(as({ ...user, username: "nobody" }), { read: calls["read a stream"] }));

test("the credentials of one call count for this call", async () => {
  const wrong = { credentials: { ...user, password: "p" } }, right = { credentials: other };
  const stream = newStream(), [a, b] = newEvents(2);
  await assert.rejects(connect().appendToStream(stream, newEvents(1), wrong), AccessDeniedError);
  await assert.rejects(readStream(connect(), stream, wrong), AccessDeniedError);
  const anonymous = as();
  await anonymous.appendToStream(stream, a, { expectedRevision: NO_STREAM, ...right });
  assert.deepEqual(ids(await readStream(anonymous, stream, right)), [a.id]);
  await assert.rejects(readStream(anonymous, stream), AccessDeniedError);
  await as(other).appendToStream(stream, b, { expectedRevision: 0n });
});

test("a node of an unknown authority is not trusted", async () => {
  const client = connectTo(`esdb://${who(user)}${address}`);
  await assert.rejects(readStream(client, newStream()), UnavailableError);
});

test("without TLS nobody gets in", async () => {
  const client = connectTo(`esdb://${address}?tls=false`);
  await assert.rejects(readStream(client, newStream()), UnavailableError);
});

// Connections that have shown a right password do not suffer for those that guess.
test("who guesses is slowed down, who is known is not", async () => {
  const known = connect(), stream = newStream();
  await known.appendToStream(stream, newEvents(1));
  const guessed = await Promise.allSettled(Array.from({ length: 40 }, (_, i) =>
    readStream(as(), stream, { credentials: { ...user, password: `p${i}` } })));
  for (const { reason } of guessed) assert.ok(reason instanceof AccessDeniedError, String(reason));
  assert.ok(guessed.some(({ reason }) => /too many wrong passwords/.test(reason.message)));
  assert.equal((await readStream(known, stream)).length, 1);
});
