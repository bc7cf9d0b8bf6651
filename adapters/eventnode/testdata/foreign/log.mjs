// What the programs share: the way to the node under test, and events for it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import nodeTest from "node:test";
import { setTimeout } from "node:timers/promises";
import { EventStoreDBClient, jsonEvent } from "@eventstore/db-client";

// The Go test tells where its node is, what a connection string needs besides,
// where it is stopped and started, and who may use it (nobody named: anybody).
const { LOG_ADDRESS, LOG_OPTIONS, LOG_CONTROL, LOG_USER_1, LOG_USER_2 } = process.env;
export const address = LOG_ADDRESS;
export const options = LOG_OPTIONS;

const credentialsOf = (user) => {
  const [username, ...password] = user.split(":");
  return { username, password: password.join(":") };
};
export const users = [LOG_USER_1, LOG_USER_2].filter(Boolean).map(credentialsOf);

// A call without credentials of its own goes through BatchAppend, one with them
// through Append.
export const doors = { BatchAppend: {}, Append: { credentials: users[0] ?? credentialsOf("anybody:") } };

// who is the part of a connection string that names a user.
export const who = (user) => (user ? `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}@` : "");

const disposals = [];
let running = false;

// A test that hangs fails. With it go its clients, and what takes turns.
export function test(name, body) {
  nodeTest(name, { timeout: 60_000 }, async () => {
    running = true;
    try {
      await body();
    } finally {
      running = false;
      await Promise.all(disposals.splice(0).map((client) => client.dispose()));
    }
  });
}

// turn lets others go on, for as long as the test runs.
export async function turn() {
  await setTimeout(5);
  assert.ok(running, "the test is over");
}

export const connectTo = (text) => {
  const client = EventStoreDBClient.connectionString(text);
  disposals.push(client);
  return client;
};

export const connect = (more = "") =>
  connectTo(`esdb://${who(users[0])}${address}?${options}&defaultDeadline=30000${more}`);

// discover is a client that asks where the leader is, for as long as it takes.
export const discover = () =>
  connectTo(`esdb+discover://${who(users[0])}${address}?${options}&maxDiscoverAttempts=1000`);

export const newStream = (name = "test") => `${name}-${randomUUID()}`;

export const newEvents = (n, more = {}) =>
  Array.from({ length: n }, (_, i) => jsonEvent({ type: "test.happened.v1", data: { i }, ...more }));

export const ids = (events) => events.map(({ id }) => id);

// take is the next n events of a read or a subscription, which ends with them.
export async function take(reading, n = Infinity) {
  const events = [];
  try {
    for await (const { event } of reading) {
      events.push(event);
      if (events.length === n) break;
    }
  } finally {
    await (reading.unsubscribe ?? reading.cancel).call(reading);
  }
  return events;
}

export const readStream = (client, stream, how) => take(client.readStream(stream, how));

// happened is the next emission of an event of this name, or its failure.
export const happened = (emitter, name) =>
  new Promise((resolve, reject) => emitter.once(name, resolve).once("error", reject));

async function control(order) {
  const response = await fetch(`${LOG_CONTROL}/${order}`, { method: "POST" });
  assert.ok(response.ok, await response.text());
}

// stop lets calls finish, cut ends them at once; start opens the same data on
// the same port.
export const [stop, cut, start] = ["stop", "cut", "start"].map((order) => () => control(order));
