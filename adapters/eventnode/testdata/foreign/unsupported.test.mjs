// What the node does not serve is refused, and changes nothing.
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { after } from "node:test";
import {
  ANY, NO_STREAM, START,
  UnsupportedError, jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults as toAll,
  persistentSubscriptionToStreamSettingsFromDefaults as toStream,
} from "@eventstore/db-client";
import { connect, doors, ids, newEvents, newStream, readStream, take, test } from "./log.mjs";

// What the client makes of Unimplemented to a call, to one append of a batch and
// of a path of HTTP/1 that is not there, which it tries where gRPC offers nothing.
const refusals = /UNIMPLEMENTED|Could not recognize this log|Not Found|does not exist/;

// The client does not read such answers of HTTP/1 to their end: their connections
// would keep the program.
after(() => [http, https].forEach(({ globalAgent }) => globalAgent.destroy()));

const calls = {
  "delete, any revision": (client, stream) => client.deleteStream(stream, { expectedRevision: ANY }),
  "delete, its revision": (client, stream) => client.deleteStream(stream, { expectedRevision: 1n }),
  "delete, no stream": (client) => client.deleteStream(newStream(), { expectedRevision: NO_STREAM }),
  "tombstone": (client, stream) => client.tombstoneStream(stream),
  "create a persistent subscription": (client, stream) => client.createPersistentSubscriptionToStream(stream, "group", toStream()),
  "update a persistent subscription": (client, stream) => client.updatePersistentSubscriptionToStream(stream, "group", toStream()),
  "delete a persistent subscription": (client, stream) => client.deletePersistentSubscriptionToStream(stream, "group"),
  "ask for a group": (client, stream) => client.getPersistentSubscriptionToStreamInfo(stream, "group"),
  "list the groups of a stream": (client, stream) => client.listPersistentSubscriptionsToStream(stream),
  "list all groups": (client) => client.listAllPersistentSubscriptions(),
  "replay what a group of a stream parked": (client, stream) => client.replayParkedMessagesToStream(stream, "group"),
  "restart persistent subscriptions": (client) => client.restartPersistentSubscriptionSubsystem(),
  "subscribe to a group": (client, stream) => take(client.subscribeToPersistentSubscriptionToStream(stream, "group")),
  "create a persistent subscription to $all": (client) => client.createPersistentSubscriptionToAll("group", toAll()),
  "update a persistent subscription to $all": (client) => client.updatePersistentSubscriptionToAll("group", toAll()),
  "delete a persistent subscription to $all": (client) => client.deletePersistentSubscriptionToAll("group"),
  "subscribe to a group of $all": (client) => take(client.subscribeToPersistentSubscriptionToAll("group")),
  "ask for a group of $all": (client) => client.getPersistentSubscriptionToAllInfo("group"),
  "replay what a group parked": (client) => client.replayParkedMessagesToAll("group"),
  "list the groups of $all": (client) => client.listPersistentSubscriptionsToAll(),
  "create a projection": (client) => client.createProjection("p", "fromAll()"),
  "update a projection": (client) => client.updateProjection("p", "fromAll()"),
  "delete a projection": (client) => client.deleteProjection("p"),
  "enable a projection": (client) => client.enableProjection("p"),
  "disable a projection": (client) => client.disableProjection("p"),
  "reset a projection": (client) => client.resetProjection("p"),
  "ask for a projection's state": (client) => client.getProjectionState("p"),
  "list projections": (client) => client.listProjections(),
  "restart the projections": (client) => client.restartSubsystem(),
};

for (const [door, through] of Object.entries(doors)) {
  calls[`${door}: set stream metadata`] = (client, stream) => client.setStreamMetadata(stream, { maxCount: 1 }, through);
  calls[`${door}: append a link`] = (client, stream) =>
    client.appendToStream(newStream("links"), jsonEvent({ type: "$>", data: `0@${stream}` }), through);
}

for (const [name, call] of Object.entries(calls)) {
  test(name, async () => {
    const client = connect(), stream = newStream(), events = newEvents(3);
    await client.appendToStream(stream, events.slice(0, 2), { expectedRevision: NO_STREAM });
    const before = await take(client.readAll());
    await assert.rejects(call(client, stream), (error) => {
      assert.ok(error instanceof UnsupportedError || refusals.test(error.message), String(error));
      return true;
    });
    assert.deepEqual(await take(client.readAll({ fromPosition: START })), before);
    await client.appendToStream(stream, events[2], { expectedRevision: 1n });
    assert.deepEqual(ids(await readStream(client, stream)), ids(events));
    assert.deepEqual(await client.getStreamMetadata(stream), { streamName: stream });
  });
}
