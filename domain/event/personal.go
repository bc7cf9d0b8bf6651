package event

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"govahi/domain/fault"
)

// Subject is the pseudonym of a person: random, kept with his key in the vault,
// and meaningless once that key is destroyed (domain §7.3).
type Subject string

// Keeper seals texts under a subject's own key and opens them again.
// The place is authenticated with the text: a copy elsewhere does not open.
type Keeper interface {
	Seal(ctx context.Context, s Subject, place string, plain []byte) ([]byte, error)
	// Open fails with ErrErased once the subject's key was destroyed.
	Open(ctx context.Context, s Subject, place string, sealed []byte) ([]byte, error)
}

// Warmer is a keeper that can fetch the keys of many subjects at once, when it is
// known that they will be needed.
type Warmer interface {
	Warm(ctx context.Context, subjects []Subject) error
}

// ErrErased reports that a person's data was destroyed on request.
var ErrErased = fault.New(fault.Erased, "subject-erased",
	"حذف‌شده به درخواست صاحب داده",
	"Erased at the request of the person concerned.")

// ErrUnsealed reports personal data on its way out of the process in clear.
var ErrUnsealed = errors.New("event: personal data is not sealed")

// Personal is data about one person inside an event. Its JSON is only ever the
// sealed form: what was not sealed cannot be stored, logged or sent.
type Personal[T any] struct {
	subject Subject
	place   string
	sealed  []byte
	plain   *T
}

// About holds data about a person, still in clear, until transact seals it.
func About[T any](s Subject, value T) *Personal[T] {
	return &Personal[T]{subject: s, plain: &value}
}

// Sealable is personal data of any shape.
type Sealable interface {
	Seal(ctx context.Context, k Keeper, place string) error
	Where() string
}

// Bearer is an event that holds personal data.
type Bearer interface{ Personal() []Sealable }

// PlaceOf names where personal data stands: stream and stored event name.
func PlaceOf(stream Stream, name string) string { return string(stream) + " " + name }

// Subject is the person concerned.
func (p *Personal[T]) Subject() Subject { return p.subject }

// Where is the place under which the data was sealed.
func (p *Personal[T]) Where() string { return p.place }

// Seal encrypts the data for its place; it is done once.
func (p *Personal[T]) Seal(ctx context.Context, k Keeper, place string) error {
	if p.plain == nil {
		return nil
	}
	plain, err := json.Marshal(p.plain)
	if err != nil {
		return err
	}
	sealed, err := k.Seal(ctx, p.subject, place, plain)
	if err != nil {
		return err
	}
	p.place, p.sealed = place, sealed
	return nil
}

// Open returns the data in clear, or ErrErased.
func (p *Personal[T]) Open(ctx context.Context, k Keeper) (T, error) {
	var value T
	if p.plain != nil {
		return *p.plain, nil
	}
	plain, err := k.Open(ctx, p.subject, p.place, p.sealed)
	if err != nil {
		return value, err
	}
	err = json.Unmarshal(plain, &value)
	return value, err
}

type personalJSON struct {
	Subject Subject `json:"subject"`
	Place   string  `json:"place"`
	Sealed  []byte  `json:"sealed"`
}

// MarshalJSON writes the sealed form, or fails with ErrUnsealed.
func (p *Personal[T]) MarshalJSON() ([]byte, error) {
	if p.sealed == nil {
		return nil, ErrUnsealed
	}
	return json.Marshal(personalJSON{p.subject, p.place, p.sealed})
}

var personalNames = []string{"subject", "place", "sealed"}

// UnmarshalJSON reads the sealed form.
func (p *Personal[T]) UnmarshalJSON(data []byte) error {
	if texts, ok := plain(data, personalNames...); ok && len(texts) == 3 {
		if sealed, err := base64.StdEncoding.DecodeString(texts[2]); err == nil {
			*p = Personal[T]{subject: Subject(strings.Clone(texts[0])), place: strings.Clone(texts[1]), sealed: sealed}
			return nil
		}
	}
	var j personalJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*p = Personal[T]{subject: j.Subject, place: j.Place, sealed: j.Sealed}
	return nil
}

func personal(e Event) []Sealable {
	if b, ok := e.(Bearer); ok {
		return b.Personal()
	}
	return nil
}
