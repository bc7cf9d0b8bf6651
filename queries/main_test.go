package queries_test

import (
	"testing"

	"govahi/adapters/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
