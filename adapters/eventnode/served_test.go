package eventnode_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// contract is every method of EventStoreDB's contract, as gRPC calls it: those
// of the generated stubs, and one of each service that has none in Go.
func contract() (methods []string) {
	for _, service := range []grpc.ServiceDesc{
		streams.Streams_ServiceDesc, gossip.Gossip_ServiceDesc, serverfeatures.ServerFeatures_ServiceDesc,
		persistent.PersistentSubscriptions_ServiceDesc, projections.Projections_ServiceDesc,
	} {
		for _, m := range service.Methods {
			methods = append(methods, "/"+service.ServiceName+"/"+m.MethodName)
		}
		for _, m := range service.Streams {
			methods = append(methods, "/"+service.ServiceName+"/"+m.StreamName)
		}
	}
	return append(methods, "/event_store.client.operations.Operations/StartScavenge",
		"/event_store.client.monitoring.Monitoring/Stats", "/event_store.client.users.Users/Create")
}

// What is advertised is served, and nothing else is.
func TestServesWhatItSays(t *testing.T) {
	conn := dial(t)
	features, err := serverfeatures.NewServerFeaturesClient(conn).GetSupportedMethods(t.Context(), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range features.Methods {
		listed = append(listed, m.ServiceName+"/"+m.MethodName)
	}
	served := 0
	for _, method := range contract() {
		err := callEmpty(t, conn, method)
		unserved := status.Code(err) == codes.Unimplemented
		if slices.Contains(listed, strings.ToLower(method[1:])) == unserved {
			t.Errorf("%s: %v; listed are %v", method, err, listed)
		}
		if unserved && !strings.HasPrefix(status.Convert(err).Message(), "this log ") {
			t.Errorf("%s is refused with %v", method, err)
		}
		if !unserved {
			served++
		}
	}
	if served != len(listed) {
		t.Errorf("%d methods are served, %d listed", served, len(listed))
	}
}

// callEmpty calls any method with an empty message.
func callEmpty(t *testing.T, conn *grpc.ClientConn, method string) error {
	t.Helper()
	call, err := conn.NewStream(soon(t), &grpc.StreamDesc{StreamName: path.Base(method), ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	_ = call.SendMsg(&shared.Empty{}) // what is refused at once cannot be sent
	if err := call.CloseSend(); err != nil {
		t.Fatal(err)
	}
	return call.RecvMsg(&shared.Empty{})
}
