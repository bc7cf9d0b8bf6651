package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/domain/event"
)

// This file computes every row of every view a second time, from the exported
// log alone: from JSON, docs/events.md and the states of domain §2.3. It uses
// nothing of the domain's own folds, of the projections, or of the states that
// the commands noted in the metadata, so that an error there shows here.

// fact is a line of the export.
type fact struct {
	Position event.Position `json:"position"`
	Stream   string         `json:"stream"`
	Revision int            `json:"revision"`
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Data     told           `json:"data"`
	Meta     told           `json:"metadata"`
}

func (f fact) about() string {
	_, id, _ := strings.Cut(f.Stream, "-")
	return id
}

// told is a JSON object.
type told map[string]any

func (d told) text(name string) string {
	s, _ := d[name].(string)
	return s
}

func (d told) yes(name string) bool { return d[name] == true }

func (d told) number(name string) int {
	n, _ := d[name].(float64)
	return int(n)
}

// orNull is a text that a table holds as NULL where it is empty.
func (d told) orNull(name string) any {
	if s := d.text(name); s != "" {
		return s
	}
	return nil
}

// bytes is base64 in JSON and a bytea, as PostgreSQL prints it, in a table.
func (d told) bytes(name string) any {
	data, err := base64.StdEncoding.DecodeString(d.text(name))
	if err != nil || len(data) == 0 {
		return nil
	}
	return `\x` + hex.EncodeToString(data)
}

// cited is the thing that a named stream is about.
func (d told) cited(name string) any {
	_, id, found := strings.Cut(d.text(name), "-")
	if !found {
		return nil
	}
	return id
}

func (d told) inner(name string) told {
	o, _ := d[name].(map[string]any)
	return o
}

// row is a line of a table, by column, as to_jsonb prints it.
type row map[string]any

// tables are rows by table and key.
type tables map[string]map[string]row

// readExport reads what `govahi log export` prints.
func readExport(r io.Reader) ([]fact, error) {
	var facts []fact
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var f fact
			if err := json.Unmarshal(line, &f); err != nil {
				return nil, err
			}
			facts = append(facts, f)
		}
		if err == io.EOF {
			return facts, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// fold is the walk over the log.
type fold struct {
	tables
	dossiers map[string]*dossier
}

// folded computes all views.
func folded(facts []fact) tables {
	f := fold{tables{
		"requests.requests": {}, "requests.steps": {}, "certificates.certificates": {}, "accesses.accesses": {}, "cases.cases": {},
		"inquiries.inquiries": {}, "notifications.notifications": {}, "tokens.tokens": {}, "offices.offices": {},
		"offices.tariffs": {}, "crls.crls": {}, "appointments.appointments": {}, "credentials.credentials": {}, "consignments.consignments": {}, "audits.audits": {},
		"payments.orders": {}, "payments.refunds": {}, "payments.attempts": {}, "payments.contracts": {},
	}, map[string]*dossier{}}
	for _, e := range facts {
		category, name, _ := strings.Cut(e.Type, ".")
		name = name[:strings.LastIndex(name, ".v")]
		switch category {
		case "enrollment":
			f.enrollment(e, name)
		case "certificate":
			f.certificate(e, name)
		case "access":
			f.access(e, name)
		case "revocation":
			f.revocation(e, name)
		case "inquiry":
			f.inquiry(e, name)
		case "notification":
			f.notification(e, name)
		case "token":
			f.token(e, name)
		case "office", "tariff":
			f.place(e, name)
		case "appointment":
			f.post(e, name)
		case "consignment":
			f.consignment(e, name)
		case "credential":
			f.credential(e, name)
		case "crl":
			f.crl(e, name)
		case "audit":
			f.audit(e, name)
		case "person":
			f.person(e, name)
		case "fee":
			f.fee(e, name)
		case "payment":
			f.attempt(e, name)
		case "contract":
			f.contract(e, name)
		}
	}
	return f.tables
}

// dossier is what a request's state follows from.
type dossier struct {
	row     row
	phase   string // the part of the diagram that it is in
	version int
	foreign bool
	proven  bool // the e-mail address
	liable  int  // form version
	handled bool // the desk did something
	sighted map[string]bool
	matched int // form version
	paid    bool
	further map[string]bool // controls that the office wished for: passed or not
	onToken bool
	copies  int

	command     string // that the latest event is of
	begun       int    // revision of its first event
	before, now any    // the state before that command, and after the latest event
	failed      any    // why the CA gave it back, if that is what the command says
}

// state reads the diagrams of domain §2.3.
func (d *dossier) state() string {
	switch d.phase {
	case "form":
		switch {
		case d.version == 0:
			return "draft"
		case d.proven && d.liable == d.version:
			return "ready"
		}
		return "completed"
	case "desk":
		switch {
		case !d.handled:
			return "at-office"
		case d.controlled():
			return "controlled"
		}
		return "under-control"
	case "issued":
		switch {
		case d.onToken && d.copies > 0 && d.row["channel"] == "inside":
			return "ready-for-dispatch"
		case d.onToken && d.copies > 0:
			return "ready-for-delivery"
		}
	}
	return d.phase
}

// controlled is the guard UnderControl → Controlled, with S1.26–28: a foreigner
// shows his passport, which stands for a birth certificate also elsewhere.
func (d *dossier) controlled() bool {
	person := d.sighted["national-card"] && (d.sighted["birth-certificate"] || d.sighted["passport"])
	if d.foreign {
		person = d.sighted["passport"]
	}
	for _, passed := range d.further {
		person = person && passed
	}
	return person && d.sighted["legal-person-card"] && d.sighted["introduction-letter"] &&
		d.matched == d.version && d.paid && d.proven && d.liable == d.version
}

func (f fold) enrollment(e fact, name string) {
	d, code := f.dossiers[e.about()], e.about()
	if name == "opened" {
		d = opening(e)
		f.dossiers[code], f.tables["requests.requests"][code] = d, d.row
	} else {
		d.learn(e.Data, name)
		d.move(name)
		if e.Data["unconfirmed"] == true { // the CA gave it back to be confirmed anew
			d.phase = "desk"
		}
	}
	if now := d.state(); d.row["status"] != now {
		d.row["status"], d.row["status_since"] = now, e.Data["at"]
	}
	f.step(e, d)
	d.row["revision"] = float64(e.Revision)
}

// step keeps the timeline. A command's events bring a request into one state, at
// the first of them, whatever they say one after the other.
func (f fold) step(e fact, d *dossier) {
	if command := e.Meta.text("commandId"); command == "" || command != d.command {
		d.command, d.begun, d.before, d.failed = command, e.Revision, d.now, nil
		if strings.HasPrefix(e.Type, "enrollment.issuance-failed.") {
			d.failed = e.Data["code"]
		}
	}
	d.now = d.row["status"]
	key := fmt.Sprintf("%s/%d", e.about(), d.begun)
	delete(f.tables["requests.steps"], key)
	if d.now != d.before {
		f.tables["requests.steps"][key] = row{"code": e.about(), "revision": float64(d.begun), "state": d.now, "since": d.row["status_since"], "failure": d.failed}
	}
}

func opening(e fact) *dossier {
	d := &dossier{phase: "form", sighted: map[string]bool{}, further: map[string]bool{}, row: row{
		"code": e.about(), "channel": e.Data["channel"], "certificate_type": e.Data["certificateType"],
		"basis": nil, "renews": nil, "opened_by": e.Data["openedBy"], "counter": e.Data.orNull("office"), "opened_at": e.Data["at"],
		"form_version": 0., "email_confirmed": false, "sighted": []any{}, "corrections": []any{}, "copies": 0., "attempts": 0., "to_attorney": false,
	}}
	for _, later := range []string{
		"person", "organization", "province", "entry", "form", "person_term", "mobile_term", "surname_term", "last4_term",
		"unit", "dossier", "dossier_to", "origin", "token_at", "user_name", "office", "submitted_at", "identity", "registry_code", "fee_rial", "rejection", "token", "failure", "serial", "fingerprint",
		"delivered_at", "attorney",
	} {
		d.row[later] = nil
	}
	return d
}

// move follows the arrows between the parts of the diagram.
func (d *dossier) move(name string) {
	switch name {
	case "form-completed":
		switch {
		case d.phase == "needs-correction" && d.row["office"] == nil: // the unit sent it back
			d.phase = "at-research-unit"
		case d.phase == "needs-correction":
			d.phase = "desk"
		}
	case "submitted":
		d.phase, d.handled = "desk", false
	case "document-sighted", "identity-inquired", "identity-answered", "control-required", "control-closed", "fee-settled":
		d.handled = true
		if d.phase != "needs-correction" && d.row["office"] != nil { // which only a form ends; a unit sights, and has no desk
			d.phase = "desk" // also back from confirmed: what is changed must be confirmed anew
		}
	case "correction-requested":
		d.phase, d.handled = "needs-correction", true
	case "information-confirmed", "issuance-failed":
		d.phase = "confirmed"
	case "issuance-requested":
		d.phase = "at-ca"
	case "issued", "delivered", "accepted", "rejected", "withdrawn", "revoked":
		d.phase = name
	default:
		d.moveInside(name)
	}
}

// moveInside follows the arrows of channel B: papers up, token down.
func (d *dossier) moveInside(name string) {
	switch name {
	case "submitted-to-unit":
		d.phase = "at-research-unit"
	case "dossier-approved":
		d.phase = "approved"
	case "dossier-returned":
		d.phase = "needs-correction"
	case "dossier-dispatched":
		d.phase = "in-transit"
	case "dossier-received":
		d.phase = "at-authority"
		if d.row["office"] != nil {
			d.phase, d.handled = "desk", false
		}
	case "dossier-lost": // who sent it makes it anew
		d.phase = "at-authority"
		if d.row["dossier"] == d.row["unit"] {
			d.phase = "approved"
		}
	case "token-arrived":
		d.phase = map[string]string{
			"ready-for-dispatch": "at-origin", "at-origin": "back-at-research-unit", "access-defined": "at-company-unit",
		}[d.state()]
	case "access-noted":
		d.phase = "access-defined"
	}
}

// learn takes in what an event says.
func (d *dossier) learn(e told, name string) {
	switch name {
	case "form-completed":
		d.form(e)
	case "email-confirmed":
		d.proven, d.row["email_confirmed"] = true, true
	case "liability-accepted":
		d.liable = e.number("formVersion")
	case "submitted":
		d.row["office"], d.row["submitted_at"] = e["office"], e["at"]
	case "correction-requested":
		d.row["corrections"] = e["fields"]
	case "document-sighted":
		d.sighted[e.text("document")] = true
		others := slices.DeleteFunc(slices.Clone(d.row["sighted"].([]any)), func(d any) bool { return d == e["document"] })
		d.row["sighted"] = append(others, e["document"])
	case "renewal-opened":
		d.row["basis"], d.row["renews"] = e["basis"], e["certificate"]
	case "identity-inquired":
		d.matched, d.row["identity"], d.row["registry_code"] = 0, "waiting", nil
	case "identity-answered":
		d.matched, d.row["identity"], d.row["registry_code"] = 0, "mismatch", e["trackingCode"]
		if e.yes("matched") {
			d.matched, d.row["identity"] = e.number("formVersion"), "matched"
		}
	case "control-required", "control-closed":
		d.further[e.text("control")] = e.yes("passed")
	case "fee-settled":
		d.paid, d.row["fee_rial"] = true, e["amountRial"]
	case "rejected":
		d.row["rejection"] = e["reason"]
	default:
		d.learnLater(e, name)
	}
}

func (d *dossier) learnLater(e told, name string) {
	switch name {
	case "issuance-requested":
		d.row["token"] = e["token"]
	case "issuance-attempted":
		d.row["attempts"] = d.row["attempts"].(float64) + 1
	case "issuance-failed":
		d.row["failure"] = e["code"]
	case "issued":
		d.row["serial"], d.row["fingerprint"], d.row["failure"] = e["serial"], e["fingerprint"], nil
	case "token-personalised":
		d.onToken = true
	case "sheet-printed":
		d.copies, d.row["copies"] = e.number("copy"), e["copy"]
	case "delivered":
		d.row["delivered_at"] = e["at"]
		d.row["to_attorney"], d.row["attorney"] = e["attorney"] != nil, e["attorney"]
	default:
		d.learnInside(e, name)
	}
}

func (d *dossier) learnInside(e told, name string) {
	switch name {
	case "submitted-to-unit":
		d.row["unit"], d.row["dossier"], d.row["submitted_at"] = e["unit"], e["unit"], e["at"]
	case "dossier-returned":
		d.row["corrections"] = e["fields"]
	case "dossier-dispatched":
		d.row["dossier"], d.row["dossier_to"] = e["from"], e["to"]
	case "dossier-received":
		d.row["dossier"], d.row["dossier_to"] = e["place"], nil
		if e.yes("office") {
			d.row["origin"], d.row["office"] = e["from"], e["place"]
		}
	case "dossier-lost":
		d.row["dossier_to"] = nil
	case "token-arrived":
		d.row["token_at"] = e["place"]
	case "access-noted":
		d.row["user_name"] = e["userName"]
	}
}

// form replaces the one before; what was compared with that must be looked at
// again.
func (d *dossier) form(e told) {
	d.version, d.foreign, d.matched = e.number("version"), e.yes("foreign"), 0
	d.sighted, d.row["sighted"], d.row["corrections"] = map[string]bool{}, []any{}, []any{}
	for control := range d.further {
		d.further[control] = false
	}
	if e.yes("emailChanged") {
		d.proven, d.row["email_confirmed"] = false, false
	}
	for column, field := range map[string]string{
		"person": "person", "organization": "organization", "province": "province", "form_version": "version",
		"entry": "entry", "form": "form",
	} {
		d.row[column] = e[field]
	}
	d.row["identity"], d.row["registry_code"] = nil, nil
	for _, term := range []string{"person_term", "mobile_term", "surname_term", "last4_term"} {
		d.row[term] = present
	}
}

// present stands for a keyed term, whose value only the vault can tell.
const present = "present"

func (f fold) certificate(e fact, name string) {
	serial := e.about()
	c := f.tables["certificates.certificates"][serial]
	if c == nil { // also of a serial that was abandoned before it was intended
		c = row{"serial": serial, "profile": ""}
		for _, later := range []string{
			"request", "person", "fingerprint", "not_before", "not_after", "issued_at", "token", "certificate",
			"public", "reason", "ground", "revoked_at", "revoked_by", "cause", "held_at", "held_until",
		} {
			c[later] = nil
		}
		f.tables["certificates.certificates"][serial] = c
	}
	switch name {
	case "issuance-intended":
		c["status"], c["profile"], c["request"] = "intended", e.Data["profile"], nil
		if record := e.Data.inner("record"); strings.HasPrefix(fmt.Sprint(record["stream"]), "enrollment-") {
			c["request"] = record.cited("stream")
		}
		c["person"], c["token"] = e.Data.orNull("subject"), e.Data.orNull("token")
		c["not_before"], c["not_after"] = e.Data["notBefore"], e.Data["notAfter"]
	case "signing-started":
		c["status"] = "signing"
	case "issued":
		c["status"], c["fingerprint"], c["issued_at"] = "valid", e.Data["fingerprint"], e.Data["at"]
		c["certificate"], c["public"] = e.Data["certificate"], e.Data.bytes("public")
	case "issuance-abandoned":
		c["status"] = "abandoned"
	case "suspended":
		c["status"], c["held_at"], c["held_until"] = "suspended", e.Data["at"], e.Data["until"]
	case "suspension-lifted":
		c["status"], c["held_at"], c["held_until"] = "valid", nil, nil
	case "revoked":
		c["held_at"], c["held_until"] = nil, nil
		if c["status"] != "revoked" { // a worse reason later does not move the time
			c["revoked_at"] = e.Data["at"]
		}
		c["status"], c["reason"] = "revoked", e.Data["reason"]
		c["revoked_by"], c["cause"] = e.Data["by"], e.Data.orNull("case")
		c["ground"] = e.Data.orNull("ground")
	}
}

func (f fold) access(e fact, name string) {
	users, user := f.tables["accesses.accesses"], e.Data.text("userName")
	switch name {
	case "user-defined":
		users[user] = row{
			"user_name": user, "level": e.Data["level"], "person": e.Data["person"], "request": e.Data.cited("request"),
			"serial": e.Data["certificate"], "fingerprint": e.Data["fingerprint"], "unit": e.Data["unit"],
			"active": e.Data["pending"] != true, "pending": e.Data["pending"] == true, "since": e.Data["at"], "cause": nil,
		}
	case "certificate-bound":
		users[user]["active"], users[user]["pending"], users[user]["since"] = users[user]["cause"] == nil, false, e.Data["at"]
	case "suspended":
		users[user]["active"], users[user]["since"], users[user]["cause"] = false, e.Data["at"], e.Data["cause"]
	case "restored":
		users[user]["active"], users[user]["since"], users[user]["cause"] = users[user]["pending"] != true, e.Data["at"], nil
	}
}

func (f fold) revocation(e fact, name string) {
	number := e.Data.text("case")
	c := f.tables["cases.cases"][number]
	switch name {
	case "opened":
		f.tables["cases.cases"][number] = row{
			"number": number, "serial": e.Data["certificate"], "status": "open", "reporter": e.Data.orNull("by"),
			"source": e.Data["source"], "evidence": 1., "finding": nil,
			"statement": e.Data["statement"], "reported_at": e.Data["at"], "decided_by": nil, "verdict": nil, "decided_at": nil,
		}
		return
	case "evidence-added":
		c["evidence"] = c["evidence"].(float64) + 1
		return
	case "investigation-opened":
		c["status"] = "investigating"
		return
	case "inaccuracy-established":
		c["finding"] = e.Data["finding"]
	}
	c["status"] = strings.TrimPrefix(name, "inaccuracy-")
	c["decided_by"], c["verdict"], c["decided_at"] = e.Data["by"], e.Data["statement"], e.Data["at"]
}

func (f fold) inquiry(e fact, name string) {
	q := f.tables["inquiries.inquiries"][e.about()]
	switch name {
	case "requested":
		if q == nil {
			q = row{"id": e.about(), "attempts": 0., "matched": nil, "differs": nil, "tracking_code": nil, "finding": nil, "answered_at": nil}
			q["request"], q["person"] = e.Data.cited("request"), e.Data["subject"]
			q["purpose"], q["legal_basis"] = e.Data["purpose"], e.Data["legalBasis"]
			f.tables["inquiries.inquiries"][e.about()] = q
		}
		q["asked_by"], q["asked_at"] = e.Data["by"], e.Data["at"]
		q["status"], q["due_at"], q["set_at"], q["cause"] = "due", e.Data["at"], e.Data["at"], nil
	case "deferred":
		q["due_at"], q["attempts"], q["cause"] = e.Data["retryAt"], e.Data["attempt"], e.Data["cause"]
		q["set_at"] = e.Data["at"]
	case "inconclusive":
		q["status"], q["due_at"], q["cause"] = name, nil, e.Data["code"]
	case "answered":
		q["status"], q["due_at"], q["cause"] = name, nil, nil
		q["matched"], q["differs"], q["tracking_code"] = e.Data["matched"], e.Data["differs"], e.Data["trackingCode"]
		q["finding"], q["answered_at"] = e.Data["finding"], e.Data["at"]
	}
}

func (f fold) notification(e fact, name string) {
	all, id := f.tables["notifications.notifications"], e.Data.text("id")
	switch name {
	case "requested":
		all[id] = row{
			"id": id, "template": e.Data["template"], "request": e.Data.cited("request"), "status": "due",
			"person": e.Data.inner("message")["subject"], "requested_at": e.Data["at"], "due_at": e.Data["at"], "set_at": e.Data["at"], "attempts": 0., "sent_at": nil, "cause": nil, "bounced": nil,
		}
	case "postponed":
		all[id]["due_at"], all[id]["attempts"], all[id]["set_at"] = e.Data["retryAt"], e.Data["attempt"], e.Data["at"]
	case "failed":
		all[id]["status"], all[id]["due_at"], all[id]["cause"] = name, nil, e.Data["cause"]
	case "bounced":
		all[id]["bounced"] = e.Data["status"]
	case "sent":
		all[id]["status"], all[id]["due_at"], all[id]["sent_at"] = name, nil, e.Data["at"]
	}
}

// token follows who has it (invariant 5): a place, or the applicant.
func (f fold) token(e fact, name string) {
	all, serial := f.tables["tokens.tokens"], e.about()
	switch name {
	case "received-in-stock":
		all[serial] = row{
			"serial": serial, "model": e.Data["model"], "office": e.Data["office"], "request": nil, "certificate": nil,
			"holder": e.Data["office"], "holder_to": nil, "person": nil, "born": nil,
		}
	case "alarm-raised":
		all[serial]["alarm"] = e.Data["kind"]
		return
	case "pin-issued", "pin-delivered": // of the envelope, not of the token
		return
	case "renewed": // it stays where it is
		all[serial]["request"], all[serial]["certificate"] = e.Data.cited("request"), e.Data["certificate"]
		return
	case "reserved":
		all[serial]["request"] = e.Data.cited("request")
	case "personalised":
		all[serial]["certificate"], all[serial]["born"] = e.Data["certificate"], e.Data["at"]
	}
	all[serial].passes(e.Data, name)
	all[serial]["status"], all[serial]["since"], all[serial]["alarm"] = all[serial].tokenState(e.Data, name), e.Data["at"], nil
}

// passes goes from hand to hand.
func (t row) passes(e told, name string) {
	switch name {
	case "handed-over":
		t["holder_to"] = e["to"]
	case "received":
		t["holder"], t["holder_to"] = e["place"], nil
	case "delivered":
		t["holder"], t["holder_to"], t["person"] = nil, nil, e["to"]
	case "returned":
		t["holder"], t["holder_to"], t["person"] = e["office"], nil, nil
	case "destroyed":
		t["holder"], t["holder_to"], t["person"] = nil, nil, nil
	}
}

func (t row) tokenState(e told, name string) string {
	switch name {
	case "received-in-stock":
		return "in-stock"
	case "handed-over":
		return "in-transit"
	case "received": // sealed, or not any more; or of no use before it came
		switch was := t["status"].(string); {
		case !e.yes("sealIntact"):
			return "compromised"
		case was != "in-transit":
			return was
		}
		return "personalised"
	case "pin-activated":
		return "activated"
	case "found-defective":
		return "defective"
	}
	return name
}

func (f fold) place(e fact, name string) {
	switch name {
	case "opened":
		f.tables["offices.offices"][e.Data.text("code")] = row{
			"code": e.Data["code"], "sort": e.Data["sort"], "name": e.Data["name"], "province": e.Data["province"], "city": e.Data["city"],
			"company": e.Data["company"], "licence": nil, "until": nil, "controls": []any{}, "announcement": nil,
		}
	case "licensed":
		r := f.tables["offices.offices"][e.about()]
		r["licence"], r["until"] = e.Data["number"], e.Data["until"]
	case "controls-announced":
		r := f.tables["offices.offices"][e.about()]
		r["controls"], r["announcement"] = e.Data["controls"], nil
		if text := e.Data.text("text"); text != "" {
			r["announcement"] = text
		}
	case "published":
		key := fmt.Sprintf("%s/%d", e.Data.text("product"), e.Data.number("version"))
		f.tables["offices.tariffs"][key] = row{
			"product": e.Data["product"], "version": e.Data["version"], "level": e.Data["level"], "issuer_kind": e.Data["issuerKind"], "token_rial": e.Data["tokenRial"],
			"issuance_rial": e.Data["issuanceRial"], "valid_from": e.Data["validFrom"],
		}
	}
}

func (f fold) consignment(e fact, name string) {
	all, number := f.tables["consignments.consignments"], e.about()
	list := func(field string) any {
		if e.Data[field] == nil {
			return []any{}
		}
		return e.Data[field]
	}
	switch name {
	case "dispatched":
		all[number] = row{
			"number": number, "status": "on-its-way", "sender": e.Data["from"], "receiver": e.Data["to"], "dossiers": list("dossiers"),
			"missing": []any{}, "surplus": []any{}, "seal": e.Data["seal"], "seal_intact": nil, "cause": nil, "sent_at": e.Data["at"], "since": e.Data["at"],
		}
	case "received":
		r := all[number]
		r["missing"], r["surplus"], r["seal_intact"], r["since"] = list("missing"), list("surplus"), e.Data["sealIntact"], e.Data["at"]
		r["status"] = "complete"
		if len(r["missing"].([]any))+len(r["surplus"].([]any)) > 0 || e.Data["sealIntact"] != true {
			r["status"] = "discrepant"
		}
	case "discrepancy-resolved":
		all[number]["status"], all[number]["cause"], all[number]["since"] = "resolved", e.Data["cause"], e.Data["at"]
	}
}

func (f fold) credential(e fact, name string) {
	all, number := f.tables["credentials.credentials"], e.about()
	switch name {
	case "attempted":
		return
	case "requested":
		all[number] = row{"number": number, "person": e.Data["person"], "office": e.Data["office"], "serial": nil}
	case "issued":
		all[number]["serial"] = e.Data["serial"]
	}
	all[number]["status"], all[number]["since"] = name, e.Data["at"]
}

func (f fold) post(e fact, name string) {
	all, person, role, place := f.tables["appointments.appointments"], e.about(), e.Data.text("role"), e.Data.text("place")
	key := person + "/" + role + "/" + place
	delete(all, key)
	if name == "appointed" {
		all[key] = row{
			"person": person, "role": role, "place": place, "until": e.Data["until"], "since": e.Data["at"], "appointed_by": e.Data["by"],
		}
	}
}

// crl keeps no list, but what became of each number.
func (f fold) crl(e fact, name string) {
	all, issuer := f.tables["crls.crls"], e.about()
	key := fmt.Sprintf("%s/%d", issuer, e.Data.number("number"))
	switch name {
	case "intended":
		all[key] = row{
			"issuer": issuer, "number": e.Data["number"], "this_update": e.Data["thisUpdate"],
			"next_update": e.Data["nextUpdate"], "entries": e.Data["entries"], "sha256": nil, "size": nil, "signed_at": nil,
		}
	case "signed":
		all[key]["sha256"], all[key]["size"], all[key]["signed_at"] = e.Data["sha256"], e.Data["size"], e.Data["at"]
	}
}

// audit keeps what each day's found.
func (f fold) audit(e fact, name string) {
	all, day := f.tables["audits.audits"], e.about()
	r, known := all[day]
	if !known {
		r = row{"day": day}
		for _, later := range []string{"completed_at", "checked", "abandoned", "erased", "listed", "asked", "differences"} {
			r[later] = nil
		}
		all[day] = r
	}
	switch name {
	case "started":
		r["handler"], r["started_at"] = e.Data["handler"], e.Data["at"]
	case "completed":
		r["completed_at"] = e.Data["at"]
		for _, found := range []string{"checked", "abandoned", "erased", "listed", "asked", "differences"} {
			r[found] = e.Data[found]
		}
	}
}

// person forgets what was sealed for somebody who was erased, and what he could
// be found by.
func (f fold) person(e fact, name string) {
	if name != "erased" {
		return
	}
	for _, r := range f.tables["requests.requests"] {
		if r["person"] == e.Data["subject"] {
			r["form"], r["attorney"], r["person_term"], r["mobile_term"], r["surname_term"], r["last4_term"] = nil, nil, nil, nil, nil, nil
		}
	}
	for _, c := range f.tables["certificates.certificates"] {
		if c["person"] == e.Data["subject"] {
			c["certificate"] = nil
		}
	}
}

// fee follows an order and its refunds (domain §5.5).
func (f fold) fee(e fact, name string) {
	code := e.about()
	o := f.tables["payments.orders"][code]
	p := e.Data.inner("payment")
	switch name {
	case "raised":
		o = row{
			"code": code, "product": e.Data["product"], "tariff_version": e.Data["tariffVersion"], "amount_rial": e.Data["amountRial"],
			"raised_at": e.Data["at"], "open": []any{},
		}
		for _, later := range []string{
			"mode", "provider", "terminal", "rrn", "trace", "card", "contract", "settled_at", "settled_by", "closed_at", "cause",
		} {
			o[later] = nil
		}
		f.tables["payments.orders"][code] = o
	case "payment-attempted":
		o["open"] = append(slices.Clone(o["open"].([]any)), e.Data["attempt"])
	case "payment-failed", "payment-expired":
		o["open"] = other(o["open"], e.Data["attempt"])
	case "settled":
		for _, field := range []string{"mode", "provider", "terminal", "rrn", "trace", "card", "contract"} {
			o[field] = p.orNull(field)
		}
		o["settled_at"], o["settled_by"], o["open"] = e.Data["at"], e.Data.orNull("by"), other(o["open"], p["attempt"])
	case "surplus-noted":
		o["open"] = other(o["open"], p["attempt"])
	case "closed":
		o["closed_at"], o["cause"] = e.Data["at"], e.Data["cause"]
	case "refund-opened":
		f.tables["payments.refunds"][fmt.Sprintf("%s/%d", code, e.Data.number("number"))] = row{
			"code": code, "number": e.Data["number"], "cause": e.Data["cause"], "mode": p["mode"], "provider": p.orNull("provider"),
			"rrn": p.orNull("rrn"), "card": p.orNull("card"), "amount_rial": p["amountRial"], "opened_at": e.Data["at"],
			"reference": nil, "refunded_at": nil, "refunded_by": nil,
		}
	case "refunded":
		r := f.tables["payments.refunds"][fmt.Sprintf("%s/%d", code, e.Data.number("number"))]
		r["reference"], r["refunded_at"], r["refunded_by"] = e.Data["reference"], e.Data["at"], e.Data["by"]
	}
}

// other is a list without one.
func other(list, one any) any {
	return slices.DeleteFunc(slices.Clone(list.([]any)), func(x any) bool { return x == one })
}

// attempt follows an attempt to pay online.
func (f fold) attempt(e fact, name string) {
	all, id := f.tables["payments.attempts"], e.about()
	if name == "requested" {
		all[id] = row{
			"id": id, "code": e.Data["order"], "provider": e.Data["provider"], "amount_rial": e.Data["amountRial"], "status": "requested",
			"begun_at": e.Data["at"], "since": e.Data["at"], "due_at": e.Data["dueAt"], "set_at": e.Data["at"], "looks": 0., "rrn": nil, "cause": nil,
		}
		return
	}
	a := all[id]
	status := map[string]string{
		"redirected": "redirected", "verification-started": "verifying", "verified": "verified", "bank-settled": "settled",
		"done": "done", "failed": "failed", "reversed": "reversed", "gone": "gone",
	}[name]
	if status != "" {
		a["status"], a["since"] = status, e.Data["at"]
	}
	switch name {
	case "callback-noted", "verification-started", "verified", "bank-settled":
		a["due_at"], a["set_at"], a["looks"], a["cause"] = e.Data["dueAt"], e.Data["at"], 0., nil
	case "postponed":
		a["due_at"], a["set_at"], a["looks"], a["cause"] = e.Data["dueAt"], e.Data["at"], e.Data["look"], e.Data["cause"]
	case "done", "failed", "reversed", "gone":
		a["due_at"], a["cause"] = nil, e.Data.orNull("cause")
	}
	if name == "verified" {
		a["rrn"] = e.Data.inner("money")["rrn"]
	}
}

func (f fold) contract(e fact, name string) {
	all, company := f.tables["payments.contracts"], e.about()
	switch name {
	case "concluded":
		all[company] = row{"company": company, "number": e.Data["number"], "until": e.Data["until"], "since": e.Data["at"], "ended_at": nil}
	case "ended":
		all[company]["ended_at"] = e.Data["at"]
	}
}

// effective is the state of a request that queries compute from three views
// (domain §2.3: Active; "any after Issued → Revoked").
func (v tables) effective(code string) string {
	r := v["requests.requests"][code]
	serial, _ := r["serial"].(string)
	if c := v["certificates.certificates"][serial]; c != nil && c["status"] == "revoked" {
		return "revoked"
	}
	for _, a := range v["accesses.accesses"] {
		if a["serial"] == serial && a["active"] == true && r["status"] == "accepted" {
			return "active"
		}
	}
	return r["status"].(string)
}

// plain makes rows comparable: an instant in one form, to the microsecond that
// PostgreSQL keeps.
func (v tables) plain() tables {
	for _, table := range v {
		for _, r := range table {
			for column, value := range r {
				text, _ := value.(string)
				if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
					r[column] = at.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
				}
			}
		}
	}
	return v
}

// TestFoldTellsStates tries the fold itself on the diagram of domain §2.3, so
// that an error in it cannot hide behind the same error in the views.
func TestFoldTellsStates(t *testing.T) {
	foldTells(t, []next{
		{"opened", told{}, "draft"},
		{"form-completed", told{"version": 1.}, "completed"},
		{"email-confirmed", told{}, "completed"},
		{"liability-accepted", told{"formVersion": 1.}, "ready"},
		{"submitted", told{"office": "o"}, "at-office"},
		{"document-sighted", told{"document": "national-card"}, "under-control"},
		{"correction-requested", told{}, "needs-correction"},
		{"fee-settled", told{"amountRial": 1.}, "needs-correction"},
		{"form-completed", told{"version": 2., "emailChanged": true}, "under-control"},
		{"document-sighted", told{"document": "passport"}, "under-control"},
		{"document-sighted", told{"document": "national-card"}, "under-control"},
		{"document-sighted", told{"document": "legal-person-card"}, "under-control"},
		{"document-sighted", told{"document": "introduction-letter"}, "under-control"},
		{"email-confirmed", told{}, "under-control"},
		{"identity-inquired", told{"formVersion": 2.}, "under-control"},
		{"identity-answered", told{"formVersion": 2., "matched": true}, "under-control"},
		{"liability-accepted", told{"formVersion": 2.}, "controlled"},
		{"control-required", told{"control": "address"}, "under-control"},
		{"control-closed", told{"control": "address", "passed": false}, "under-control"},
		{"control-closed", told{"control": "address", "passed": true}, "controlled"},
		{"information-confirmed", told{}, "confirmed"},
		{"issuance-requested", told{}, "at-ca"},
		{"issuance-failed", told{}, "confirmed"},
		{"identity-inquired", told{"formVersion": 2.}, "under-control"},
		{"identity-answered", told{"formVersion": 2., "matched": true}, "controlled"},
		{"information-confirmed", told{}, "confirmed"},
		{"issuance-requested", told{}, "at-ca"},
		{"issued", told{}, "issued"},
		{"sheet-printed", told{"copy": 1.}, "issued"},
		{"token-personalised", told{}, "ready-for-delivery"},
		{"delivered", told{}, "delivered"},
		{"accepted", told{}, "accepted"},
		{"revoked", told{}, "revoked"},
	})
}

// TestFoldTellsStatesInside does so for channel B.
func TestFoldTellsStatesInside(t *testing.T) {
	proved := func(version float64) []next {
		return []next{{"email-confirmed", told{}, ""}, {"liability-accepted", told{"formVersion": version}, ""}}
	}
	sighted := func(then string) (all []next) {
		for _, d := range []string{"passport", "national-card", "legal-person-card", "introduction-letter"} {
			all = append(all, next{"document-sighted", told{"document": d}, then})
		}
		return all
	}
	foldTells(t, slices.Concat(
		[]next{{"opened", told{"channel": "inside"}, "draft"}, {"form-completed", told{"version": 1.}, "completed"}}, proved(1),
		[]next{{"submitted-to-unit", told{"unit": "u"}, "at-research-unit"}}, sighted("at-research-unit"),
		[]next{{"dossier-returned", told{"fields": []any{"post"}}, "needs-correction"}, {"form-completed", told{"version": 2.}, "at-research-unit"}},
		proved(2), sighted("at-research-unit"),
		[]next{
			{"dossier-approved", told{}, "approved"},
			{"dossier-dispatched", told{"from": "u", "to": "a"}, "in-transit"},
			{"dossier-lost", told{}, "approved"},
			{"dossier-dispatched", told{"from": "u", "to": "a"}, "in-transit"},
			{"dossier-received", told{"from": "u", "place": "a"}, "at-authority"},
			{"dossier-dispatched", told{"from": "a", "to": "o"}, "in-transit"},
			{"dossier-lost", told{}, "at-authority"},
			{"dossier-dispatched", told{"from": "a", "to": "o"}, "in-transit"},
			{"dossier-received", told{"from": "a", "place": "o", "office": true}, "at-office"},
			{"fee-settled", told{"amountRial": 1.}, "under-control"},
			{"identity-inquired", told{"formVersion": 2.}, "under-control"},
			{"identity-answered", told{"formVersion": 2., "matched": true}, "controlled"},
			{"information-confirmed", told{}, "confirmed"},
			{"issuance-requested", told{}, "at-ca"},
			{"issued", told{}, "issued"},
			{"token-personalised", told{}, "issued"},
			{"sheet-printed", told{"copy": 1.}, "ready-for-dispatch"},
			{"token-arrived", told{"place": "a"}, "at-origin"},
			{"token-arrived", told{"place": "u"}, "back-at-research-unit"},
			{"access-noted", told{"userName": "x"}, "access-defined"},
			{"token-arrived", told{"place": "c"}, "at-company-unit"},
			{"delivered", told{}, "delivered"},
			{"accepted", told{}, "accepted"},
		},
	))
}

// next is an event and the state after it; an empty one is not looked at.
type next struct {
	name  string
	data  told
	state string
}

func foldTells(t *testing.T, story []next) {
	t.Helper()
	at := 0
	var facts []fact
	happens := func(name string, data told) {
		at++
		data["at"] = fmt.Sprintf("2026-01-01T00:00:%02dZ", at)
		facts = append(facts, fact{Stream: "enrollment-1", Revision: at - 1, Type: "enrollment." + name + ".v1", Data: data})
	}
	for _, s := range story {
		happens(s.name, s.data)
		if got := folded(facts)["requests.requests"]["1"]["status"]; s.state != "" && got != s.state {
			t.Errorf("after %d, %s: %s, want %s", at, s.name, got, s.state)
		}
	}
}
