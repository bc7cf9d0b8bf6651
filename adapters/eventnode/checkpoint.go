package eventnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// maintenance is our own service beside EventStoreDB's: for the operator on this
// machine alone, who owns the Unix socket. It has two calls without arguments,
// whose answers are JSON.
var maintenance = grpc.ServiceDesc{
	ServiceName: "govahi.node.Maintenance",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{
		{StreamName: "Verify", ServerStreams: true, Handler: local((*Node).answerVerify)},
		{StreamName: "Checkpoint", ServerStreams: true, Handler: local((*Node).answerCheckpoint)},
	},
}

// local refuses callers from another machine, whoever they are.
func local(answer func(*Node, grpc.ServerStream) error) grpc.StreamHandler {
	return func(node any, call grpc.ServerStream) error {
		from, ok := peer.FromContext(call.Context())
		if !ok || from.Addr.Network() != "unix" {
			return status.Error(codes.PermissionDenied, "only the node's own Unix socket serves this")
		}
		if err := call.RecvMsg(&emptypb.Empty{}); err != nil {
			return err
		}
		return answer(node.(*Node), call)
	}
}

func sendJSON(call grpc.ServerStream, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return call.SendMsg(wrapperspb.Bytes(text))
}

func (n *Node) answerVerify(call grpc.ServerStream) error {
	err := n.store.verify(call.Context(), func(c Checked) error { return sendJSON(call, c) })
	if err != nil && status.Code(err) == codes.Unknown {
		return internal(err)
	}
	return err
}

// Checkpoint is a copy of the log at one moment, which stays for as long as the
// call that made it.
type Checkpoint struct {
	Dir  string `json:"dir"`
	Head uint64 `json:"head"` // it holds every event up to this position, at least
}

// answerCheckpoint makes a checkpoint, and removes it when the caller hangs up,
// however he does.
func (n *Node) answerCheckpoint(call grpc.ServerStream) error {
	if !n.checkpointing.TryLock() {
		return status.Error(codes.FailedPrecondition, "another checkpoint is in use: wait for that backup, or stop it")
	}
	defer n.checkpointing.Unlock()
	c, err := n.store.checkpoint()
	defer func() { _ = n.store.dropCheckpoint() }()
	if err != nil {
		return internal(err)
	}
	if err := sendJSON(call, c); err != nil {
		return err
	}
	select {
	case <-call.Context().Done():
	case <-n.stopping:
		return errStopping
	}
	return nil
}

// checkpointDir stands in the log's own directory, where hard links are possible
// for sure; Pebble passes it by.
func (d *disk) checkpointDir() string { return filepath.Join(d.dir, "checkpoint") }

// dropCheckpoint removes a checkpoint, also one that a killed process left.
func (s *store) dropCheckpoint() error { return s.disk.RemoveAll(s.disk.checkpointDir()) }

// checkpoint links Pebble's tables and copies its logs. What was synced before
// it began is in it, and is promised there, too.
func (s *store) checkpoint() (Checkpoint, error) {
	dir := s.disk.checkpointDir()
	head, _ := s.tail.now()
	promised := s.disk.promises.last()
	if s.disk.full() {
		return Checkpoint{}, errFull
	}
	if err := s.dropCheckpoint(); err != nil {
		return Checkpoint{}, err
	}
	if err := s.db.Checkpoint(dir); err != nil {
		return Checkpoint{}, fmt.Errorf("eventnode: checkpoint: %w", err)
	}
	return Checkpoint{dir, head}, promised.writeTo(s.disk, dir)
}

// last is the latest promise.
func (p *promises) last() promise {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// writeTo makes the promise about a copy.
func (p promise) writeTo(on vfs.FS, dir string) error {
	f, err := on.Create(filepath.Join(dir, promiseFile), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(p.encode())
	return errors.Join(err, f.Sync(), f.Close(), syncDir(on, dir))
}

// Maintenance calls the node behind a Unix socket.
type Maintenance struct{ conn *grpc.ClientConn }

// Maintain prepares to call the node on a Unix socket.
func Maintain(socket string) (*Maintenance, error) {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("eventnode: %w", err)
	}
	return &Maintenance{conn}, nil
}

// Close hangs up.
func (m *Maintenance) Close() error { return m.conn.Close() }

// Verify lets the node read everything that it holds, and tells how far it is
// and what it finds. The log may be in use meanwhile.
func (m *Maintenance) Verify(ctx context.Context, tell func(Checked) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	call, err := m.call(ctx, "Verify")
	for err == nil {
		var c Checked
		if err = receiveJSON(call, &c); err == nil {
			err = tell(c)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Checkpoint lets the node make a copy of its log beside it. The copy stays until
// release is called, this process dies, or the node stops; alive is closed then.
func (m *Maintenance) Checkpoint(ctx context.Context) (c Checkpoint, release func(), err error) {
	ctx, release = context.WithCancel(ctx)
	call, err := m.call(ctx, "Checkpoint")
	if err == nil {
		err = receiveJSON(call, &c)
	}
	if err != nil {
		release()
	}
	return c, release, err
}

func (m *Maintenance) call(ctx context.Context, method string) (grpc.ClientStream, error) {
	call, err := m.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/"+maintenance.ServiceName+"/"+method)
	if err != nil {
		return nil, err
	}
	return call, errors.Join(call.SendMsg(&emptypb.Empty{}), call.CloseSend())
}

func receiveJSON(call grpc.ClientStream, into any) error {
	var answer wrapperspb.BytesValue
	if err := call.RecvMsg(&answer); err != nil {
		return err
	}
	return json.Unmarshal(answer.GetValue(), into)
}
