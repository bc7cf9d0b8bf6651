package govahi_test

import (
	"fmt"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"

	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/audit"
	"govahi/domain/ceremony"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/contract"
	"govahi/domain/credential"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/idempotency"
	"govahi/domain/inquiry"
	"govahi/domain/issuer"
	"govahi/domain/limit"
	"govahi/domain/notification"
	"govahi/domain/office"
	"govahi/domain/payment"
	"govahi/domain/person"
	"govahi/domain/policy"
	"govahi/domain/profile"
	"govahi/domain/projection"
	"govahi/domain/revocation"
	"govahi/domain/tariff"
	"govahi/domain/token"
)

// kind is a kind of stream whose events are printed.
type kind struct {
	category string
	id       string // what stands after the category's dash
	about    string
	catalog  event.Catalog
}

func of[S any](k event.Kind[S], id, about string) kind {
	return kind{k.Category, id, about, k.Catalog}
}

// kinds lists every kind of stream, in the order of the story.
var kinds = []kind{
	of(appointment.Founding, "first", "the instance's first administrator, once; again only when it has none any more"),
	of(appointment.Kind, "person", "what a person may do, and where"),
	of(office.Kind, "code", "a registration office, a research unit, a contracted authority or a company's unit"),
	of(tariff.Kind, "certificate type", "the approved tariff, in versions"),
	of(enrollment.Kind, "tracking code", "a request for a certificate"),
	of(enrollment.Opening, "person-organization-type", "the one open request of a person, organisation and type"),
	of(inquiry.Kind, "tracking code-form version", "one question to the civil registry"),
	of(fee.Kind, "tracking code", "the fee of one request"),
	of(fee.Settlement, "provider-RRN", "the one order that a payment's reference settles"),
	of(payment.Kind, "attempt", "one attempt to pay a fee at a bank's page"),
	of(contract.Kind, "company national ID", "a company's contract for the fees of its people"),
	of(token.Kind, "token serial", "one physical security token"),
	of(consignment.Kind, "number", "a bag of dossiers between two places of the inside channel"),
	of(consignment.Packing, "tracking code", "the one consignment that is about to take a dossier along"),
	of(certificate.Key, "SHA-256 of the public key", "the one request that a key belongs to"),
	of(revocation.File, "serial", "to which case each doubt about a certificate goes; one is open at a time"),
	of(certificate.Blocklist, "SHA-256 of the public key", "a compromised key, which is never certified again"),
	of(ceremony.Kind, "SHA-256 of the transcript", "the transcript of a key ceremony, which witnesses signed"),
	of(profile.Kind, "name@version", "what one version of a certificate profile says, for good"),
	of(credential.Kind, "number", "a registration officer's own certificate, by which he signs what he confirms"),
	of(certificate.Kind, "serial", "one serial, from the intent to sign it to its revocation"),
	of(certificate.Delegation, "issuer", "the serials taken for an issuer's OCSP responder"),
	of(issuer.Kind, "SHA-256 of the issuer's certificate", "one issuing CA beside others, from its introduction to its end"),
	of(crl.Kind, "issuer", "the revocation lists of one issuer"),
	of(revocation.Kind, "case", "a case about false information"),
	of(access.Kind, "user name", "a user of CPMIS"),
	of(access.Binding, "serial", "the one CPMIS user of a certificate"),
	of(notification.Kind, "ID of the causing event", "one message to one person"),
	of(idempotency.Kind, "key", "what a caller's Idempotency-Key was first used for"),
	of(limit.Kind, "rule", "when a person asked for what costs others"),
	of(person.Addressing, "order", "the one person whom an order of erasure concerns"),
	of(person.Kind, "subject", "what concerns a person as such: erasure"),
	of(audit.Kind, "day", "the daily check of all certificates against the log, once a day"),
	of(policy.Kind, "name", "when a policy came to the house"),
	of(projection.Kind, "name of a view, or policy:NAME", "the events that an operator left out of it"),
}

func printEvents(t *testing.T) string {
	var out strings.Builder
	out.WriteString("# Events\n\n" +
		"Printed from the catalogs by `docs_test.go`; do not edit. A stored name is never given another shape: " +
		"a new shape gets a new version, and the old name stays readable. Fields marked *sealed* hold personal data " +
		"of one person, encrypted under that person's own key before they reach the log; their JSON is " +
		"`{subject, place, sealed}`, and what is listed below them is what was sealed.\n")
	for _, k := range kinds {
		fmt.Fprintf(&out, "\n## `%s-<%s>`\n\n%s.\n", k.category, k.id, strings.ToUpper(k.about[:1])+k.about[1:])
		for _, entry := range k.catalog.Entries() {
			out.WriteString(printEntry(t, k, entry))
		}
	}
	return out.String()
}

func printEntry(t *testing.T, k kind, entry event.Entry) string {
	if category, _, _ := strings.Cut(entry.Name, "."); category != k.category {
		t.Errorf("%s stands in the catalog of %s", entry.Name, k.category)
	}
	state := ""
	if entry.Old {
		state = " (old: read, no longer written)"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n### `%s`%s\n\n| field | type | |\n|---|---|---|\n", entry.Name, state)
	for _, f := range fields(reflect.TypeOf(entry.Example), "") {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", f.name, f.kind, f.note)
	}
	return out.String()
}

// field is a line of an event's table.
type field struct{ name, kind, note string }

func fields(t reflect.Type, above string) []field {
	var all []field
	for i := range t.NumField() {
		all = append(all, fieldsOf(t.Field(i), above)...)
	}
	return all
}

// fieldsOf prints a field, and below it the fields of what it holds.
func fieldsOf(f reflect.StructField, above string) []field {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	line := field{name: above + name}
	if strings.Contains(options, "omitempty") {
		line.note = "optional"
	}
	inner, sealed := plain(f.Type)
	line.kind = kindOf(inner)
	if sealed {
		line.kind = "sealed"
	}
	if !nested(inner) {
		return []field{line}
	}
	dot := "."
	if f.Type.Kind() == reflect.Slice {
		dot = "[]."
	}
	below := fields(element(inner), line.name+dot)
	for i := range below {
		if sealed {
			below[i].note = strings.TrimSuffix("sealed, "+below[i].note, ", ")
		}
	}
	return append([]field{line}, below...)
}

// plain is what a pointer or personal data is about.
func plain(t reflect.Type) (inner reflect.Type, sealed bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Personal[") {
		value, _ := t.FieldByName("plain")
		return value.Type.Elem(), true
	}
	return t, false
}

// element is what a list is of.
func element(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

func nested(t reflect.Type) bool {
	t = element(t)
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// kindOf names a type as it appears in JSON, with ours in their own names.
func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time, RFC 3339"
	case t == reflect.TypeFor[[]byte]():
		return "bytes, base64"
	case t.Kind() == reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case t.Kind() == reflect.Map:
		return "map of " + kindOf(t.Elem())
	case t.Kind() == reflect.Struct:
		return "object (" + t.Name() + ")"
	case t.PkgPath() != "":
		return jsonKind(t) + " (" + path.Base(t.PkgPath()) + "." + t.Name() + ")"
	}
	return jsonKind(t)
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "integer"
	default:
		panic("no JSON name for " + t.String())
	}
}
