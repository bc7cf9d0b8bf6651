package projections

import (
	_ "embed"
	"time"

	"govahi/domain/event"
	"govahi/domain/notification"
)

//go:embed notifications.sql
var notificationsSQL string

// Notifications is the to-do list of messages, and each receiver's list of his.
var Notifications = Projection{
	Name: "notifications", Version: 4, Tables: notificationsSQL,
	Catalogs: []event.Catalog{notification.Catalog},
	Apply:    applyNotification,
}

var notifications = NewTable[notificationRow]("notifications", notification.Kind.Category)

type notificationRow struct {
	ID          string `row:"key"`
	Template    string
	Request     string
	Person      string
	RequestedAt time.Time
	Status      string
	DueAt       *time.Time
	SetAt       time.Time
	Attempts    int
	SentAt      *time.Time
	Cause       *string
	Bounced     *string
}

func applyNotification(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case notification.Requested:
		notifications.Insert(w, notificationRow{
			ID: e.ID, Template: string(e.Template), Request: e.Request.ID(), Person: string(e.Message.Subject()), RequestedAt: e.At,
			Status: "due", DueAt: &e.At, SetAt: e.At,
		})
	case notification.Postponed:
		r := notifications.Change(w, e.ID)
		r.DueAt, r.Attempts, r.SetAt = &e.RetryAt, e.Attempt, e.At
	case notification.Failed:
		r := notifications.Change(w, e.ID)
		r.Status, r.DueAt, r.Cause = "failed", nil, &e.Cause
	case notification.Bounced:
		notifications.Change(w, e.ID).Bounced = &e.Status
	case notification.Sent:
		r := notifications.Change(w, e.ID)
		r.Status, r.DueAt, r.SentAt = "sent", nil, &e.At
	}
}
