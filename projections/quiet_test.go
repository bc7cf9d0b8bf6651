package projections_test

import (
	"testing"

	"govahi/projections"
)

// TestAQuietViewIsRebuilt: no event comes that would show the runner what
// happened to its tables.
func TestAQuietViewIsRebuilt(t *testing.T) {
	for name, harm := range map[string]func(h *house){
		"asked for": func(h *house) {
			h.exec(`UPDATE parcels.parcels SET grams = 0`)
			if err := projections.Rebuild(h.Context(), h.pool, "parcels"); err != nil {
				h.Fatal(err)
			}
		},
		"dropped":            func(h *house) { h.exec(`DROP SCHEMA parcels CASCADE`) },
		"dropped with all":   func(h *house) { h.exec(`DROP SCHEMA govahi, parcels CASCADE`) },
		"its row is missing": func(h *house) { h.exec(`DELETE FROM govahi.checkpoints`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, deadFeed)
			h.run(parcels(1))
			h.shows(h.postMany(10).Position)
			harm(h)
			h.until("rebuilt", func() bool {
				var whole bool
				err := h.pool.QueryRow(h.Context(), `SELECT sum(grams) > 0 AND (SELECT version FROM govahi.checkpoints
					WHERE projection = 'parcels') = 1 FROM parcels.parcels`).Scan(&whole)
				return err == nil && whole
			})
			h.tellsTheLog()
		})
	}
}
