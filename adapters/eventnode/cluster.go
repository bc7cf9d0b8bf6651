package eventnode

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Version is the EventStoreDB whose behaviour is served: the long-term release
// whose append limit is 1 MiB. Clients read three numbers from it.
const Version = "24.10.0"

// gossipServer tells clients that look for a leader that they have found it.
type gossipServer struct {
	gossip.UnimplementedGossipServer
	node *Node
}

// Read answers with one member: alive, leader, at the address that was called.
func (s gossipServer) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   structuredID(eventID(s.node.instance)),
		TimeStamp:    time.Now().UnixNano() / 100,
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: called(ctx),
	}}}, nil
}

// called is the address by which the client reached us: any other might be one
// that it cannot reach.
func called(ctx context.Context) *gossip.EndPoint {
	var authority string
	if values := metadata.ValueFromIncomingContext(ctx, ":authority"); len(values) > 0 {
		authority = values[0]
	}
	return endPoint(authority)
}

func endPoint(authority string) *gossip.EndPoint {
	host, digits, err := net.SplitHostPort(authority)
	if err != nil {
		return &gossip.EndPoint{Address: authority, Port: 2113}
	}
	port, _ := strconv.ParseUint(digits, 10, 16) // a client that called port 0 does not exist
	return &gossip.EndPoint{Address: host, Port: uint32(port)}
}

// featuresServer tells clients what they may call.
type featuresServer struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

// GetSupportedMethods lists what is served and nothing else.
func (featuresServer) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	method := func(service, name string, features ...string) *serverfeatures.SupportedMethod {
		return &serverfeatures.SupportedMethod{ServiceName: service, MethodName: name, Features: features}
	}
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: Version,
		Methods: []*serverfeatures.SupportedMethod{
			method("event_store.client.streams.streams", "append"),
			method("event_store.client.streams.streams", "batchappend", "deadline_duration"),
			method("event_store.client.streams.streams", "read", "position", "events"),
			method("event_store.client.gossip.gossip", "read"),
			method("event_store.client.server_features.serverfeatures", "getsupportedmethods"),
		},
	}, nil
}

// notServed answers calls of services that are not here, and says so: a client
// that was sent here by mistake shall not look for another node.
func notServed(_ any, call grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(call)
	return status.Errorf(codes.Unimplemented,
		"this log serves appending, reading and subscriptions; it does not serve %s", method)
}

// Delete is not served: what is in this log stays.
func (s *streamsServer) Delete(context.Context, *streams.DeleteReq) (*streams.DeleteResp, error) {
	return nil, status.Error(codes.Unimplemented, "this log deletes nothing")
}

// Tombstone is not served: what is in this log stays.
func (s *streamsServer) Tombstone(context.Context, *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	return nil, status.Error(codes.Unimplemented, "this log deletes nothing")
}
