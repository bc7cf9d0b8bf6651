package projections

import (
	_ "embed"

	"govahi/domain/event"
	"govahi/domain/notification"
)

//go:embed notifications.sql
var notificationsSQL string

// Notifications is the to-do list of messages.
var Notifications = Projection{
	Name: "notifications", Version: 2, Tables: notificationsSQL,
	Catalogs: []event.Catalog{notification.Catalog},
	Apply:    applyNotification,
}

func applyNotification(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case notification.Requested:
		w.Exec(`INSERT INTO notifications (id, template, request, status, due_at, set_at) VALUES ($1, $2, $3, 'due', $4, $4)`,
			e.ID, e.Template, e.Request.ID(), e.At)
	case notification.Postponed:
		w.Exec(`UPDATE notifications SET due_at = $2, attempts = $3, set_at = $4 WHERE id = $1`, e.ID, e.RetryAt, e.Attempt, e.At)
	case notification.Failed:
		w.Exec(`UPDATE notifications SET status = 'failed', due_at = NULL, cause = $2 WHERE id = $1`, e.ID, e.Cause)
	case notification.Sent:
		w.Exec(`UPDATE notifications SET status = 'sent', due_at = NULL, sent_at = $2 WHERE id = $1`, e.ID, e.At)
	}
}
