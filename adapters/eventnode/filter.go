package eventnode

import (
	"regexp"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// defaultWindow is how many events a filter looks at before a checkpoint where
// the client names no window; EventStoreDB's own number.
const defaultWindow = 32

// maxPattern bounds what one event costs a filter, in bytes.
const maxPattern = 4 << 10

// filter chooses events of $all; nil chooses all.
//
// Regular expressions are Go's (RE2), not .NET's. Those without backreferences
// and look-around mean the same in both, but for \d, \w, \s and \b, which are
// ASCII here and Unicode there, and $, which there also matches before a last
// line break. What Go cannot read is refused.
type filter struct {
	byStream bool // else by type
	regex    *regexp.Regexp
	prefixes []string
	interval uint64 // events looked at between two checkpoints
}

// parseFilter reads a filter; only subscriptions have checkpoints.
func parseFilter(options *streams.ReadReq_Options_FilterOptions, subscribes bool) (*filter, error) {
	f := &filter{interval: defaultWindow}
	expression := options.GetEventType()
	if options.GetStreamIdentifier() != nil {
		expression, f.byStream = options.GetStreamIdentifier(), true
	}
	if err := f.parse(expression); err != nil {
		return nil, err
	}
	if _, ok := options.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		f.interval = uint64(options.GetMax())
	}
	f.interval *= uint64(options.GetCheckpointIntervalMultiplier())
	if f.interval == 0 && subscribes {
		return nil, status.Error(codes.InvalidArgument, "a filter needs a window and a checkpoint interval above zero")
	}
	return f, nil
}

// parse prefers the regular expression to prefixes, as EventStoreDB does.
func (f *filter) parse(expression *streams.ReadReq_Options_FilterOptions_Expression) (err error) {
	pattern := expression.GetRegex()
	f.prefixes = expression.GetPrefix()
	switch {
	case len(pattern) > maxPattern:
		return status.Errorf(codes.InvalidArgument, "the filter's regular expression is longer than %d bytes", maxPattern)
	case pattern != "":
		if f.regex, err = regexp.Compile(pattern); err != nil {
			return status.Errorf(codes.InvalidArgument, "the filter %q is no regular expression that this log knows (RE2): %v", pattern, err)
		}
	case len(f.prefixes) == 0:
		return status.Error(codes.InvalidArgument, "a filter is a regular expression or prefixes")
	}
	return nil
}

func (f *filter) passes(stream, kind []byte) bool {
	if f == nil {
		return true
	}
	name := kind
	if f.byStream {
		name = stream
	}
	if f.regex != nil {
		return f.regex.Match(name)
	}
	return slices.ContainsFunc(f.prefixes, func(p string) bool { return len(name) >= len(p) && string(name[:len(p)]) == p })
}
