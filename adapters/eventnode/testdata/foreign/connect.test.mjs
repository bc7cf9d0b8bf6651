// The ways to the node, and several clients at once.
import assert from "node:assert/strict";
import { once } from "node:events";
import { NO_STREAM } from "@eventstore/db-client";
import { address, connect, connectTo, happened, ids, newEvents, newStream, options, readStream, take, test, users, who } from "./log.mjs";

const [host, port] = address.split(":");
const user = who(users[0]);

const ways = {
  "the node": `esdb://${user}${address}?${options}`,
  "a seed that tells where the leader is": `esdb+discover://${user}${address}?${options}`,
  "a seed by its name": `esdb+discover://${user}localhost:${port}?${options}`,
  "several seeds, one of them dead": `esdb://${user}${host}:1,${address}?${options}`,
  "who would rather have a follower": `esdb+discover://${user}${address}?${options}&nodePreference=follower`,
};

for (const [name, way] of Object.entries(ways)) {
  test(name, async () => {
    const client = connectTo(way), stream = newStream(), events = newEvents(2);
    await client.appendToStream(stream, events, { expectedRevision: NO_STREAM, requiresLeader: true });
    assert.deepEqual(ids(await readStream(client, stream)), ids(events));
    assert.deepEqual(ids(await take(client.subscribeToStream(stream), 2)), ids(events));
  });
}

test("twenty clients write and follow each other", async () => {
  const stream = newStream(), clients = Array.from({ length: 20 }, () => connect("&connectionName=one-of-twenty"));
  const subscriptions = clients.map((client) => client.subscribeToStream(stream));
  const caughtUp = subscriptions.map((subscription) => happened(subscription, "caughtUp"));
  const following = subscriptions.map((subscription) => take(subscription, 20 * 10));
  await Promise.all(caughtUp);
  const written = await Promise.all(clients.map(async (client) => {
    const events = newEvents(10);
    for (const event of events) await client.appendToStream(stream, event);
    return ids(events);
  }));
  const [first, ...others] = (await Promise.all(following)).map(ids);
  for (const seen of others) assert.deepEqual(seen, first);
  for (const own of written) assert.deepEqual(first.filter((id) => own.includes(id)), own);
});

test("who disposes of a client ends its subscriptions, and no other's", async () => {
  const stream = newStream(), [leaving, staying] = [connect(), connect()];
  const ending = [leaving.subscribeToStream(stream), leaving.subscribeToAll()].map((subscription) => once(subscription.resume(), "end"));
  const subscription = staying.subscribeToStream(stream);
  await happened(subscription, "caughtUp");
  await leaving.appendToStream(stream, newEvents(1));
  await leaving.dispose();
  await Promise.all(ending);
  await staying.appendToStream(stream, newEvents(1));
  assert.equal((await take(subscription, 2)).length, 2);
});
