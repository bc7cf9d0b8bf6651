package eventnode

import (
	"regexp"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// defaultWindow is how many events a filter looks at before a checkpoint where
// the client names no window; EventStoreDB's own number.
const defaultWindow = 32

// filter chooses events of $all; nil chooses all.
type filter struct {
	byStream bool // else by type
	regex    *regexp.Regexp
	prefixes []string
	interval uint64 // events looked at between two checkpoints
}

func parseFilter(options *streams.ReadReq_Options_FilterOptions) (*filter, error) {
	f := &filter{interval: defaultWindow}
	expression := options.GetEventType()
	if options.GetStreamIdentifier() != nil {
		expression, f.byStream = options.GetStreamIdentifier(), true
	}
	f.prefixes = expression.GetPrefix()
	if pattern := expression.GetRegex(); pattern != "" {
		regex, err := regexp.Compile(pattern)
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, "the filter is not a regular expression")
		}
		f.regex = regex
	}
	if (f.regex == nil) == (len(f.prefixes) == 0) {
		return nil, status.Error(codes.InvalidArgument, "a filter is a regular expression or prefixes")
	}
	if _, ok := options.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		f.interval = uint64(options.GetMax())
	}
	f.interval *= uint64(options.GetCheckpointIntervalMultiplier())
	if f.interval == 0 {
		return nil, status.Error(codes.InvalidArgument, "a filter needs a window and a checkpoint interval above zero")
	}
	return f, nil
}

func (f *filter) passes(r record) bool {
	if f == nil {
		return true
	}
	name := r.kind
	if f.byStream {
		name = r.stream
	}
	if f.regex != nil {
		return f.regex.MatchString(name)
	}
	return slices.ContainsFunc(f.prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
