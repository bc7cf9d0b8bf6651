package eventnode

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
)

type fromKey struct{}

// newWeb is the part that speaks HTTP/1, for load balancers and for people. It
// gives nobody much time, and says little.
func (n *Node) newWeb() *http.Server {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	pages.HandleFunc("GET /gossip", n.gossip)
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This is an event log: call it with gRPC. HTTP/1 has GET /health/live and GET /gossip only.", http.StatusNotFound)
	})
	return &http.Server{
		Handler:        n.guard.web(pages),
		ReadTimeout:    10 * time.Second,
		WriteTimeout:   10 * time.Second,
		MaxHeaderBytes: 8 << 10,
		ErrorLog:       slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, fromKey{}, conn.RemoteAddr())
		},
	}
}

func calledFrom(r *http.Request) net.Addr { return r.Context().Value(fromKey{}).(net.Addr) }

// clusterPage is EventStoreDB's /gossip, as far as one node has something to say.
type clusterPage struct {
	Members    []memberPage `json:"members"`
	ServerIP   string       `json:"serverIp"`
	ServerPort uint32       `json:"serverPort"`
}

type memberPage struct {
	InstanceID         uuid.UUID `json:"instanceId"`
	TimeStamp          time.Time `json:"timeStamp"`
	State              string    `json:"state"`
	IsAlive            bool      `json:"isAlive"`
	HTTPEndPointIP     string    `json:"httpEndPointIp"`
	HTTPEndPointPort   uint32    `json:"httpEndPointPort"`
	LastCommitPosition uint64    `json:"lastCommitPosition"`
	WriterCheckpoint   uint64    `json:"writerCheckpoint"`
	ChaserCheckpoint   uint64    `json:"chaserCheckpoint"`
	NodePriority       int       `json:"nodePriority"`
	IsReadOnlyReplica  bool      `json:"isReadOnlyReplica"`
	ESVersion          string    `json:"esVersion"`
}

func (n *Node) gossip(w http.ResponseWriter, r *http.Request) {
	at, last := endPoint(r.Host), n.Last()
	page := clusterPage{ServerIP: at.Address, ServerPort: at.Port, Members: []memberPage{{
		InstanceID: n.instance, TimeStamp: time.Now().UTC(), State: "Leader", IsAlive: true,
		HTTPEndPointIP: at.Address, HTTPEndPointPort: at.Port,
		LastCommitPosition: last, WriterCheckpoint: last, ChaserCheckpoint: last, ESVersion: Version,
	}}}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(page) // who asked may have left
}
