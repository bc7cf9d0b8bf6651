package memlog_test

import (
	"testing"

	"govahi/commands/logtest"
	"govahi/commands/memlog"
	"govahi/domain/event"
)

func TestLog(t *testing.T) {
	logtest.Run(t, func(*testing.T) event.Log { return memlog.New() })
}
