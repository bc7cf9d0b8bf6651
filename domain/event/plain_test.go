package event

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlain holds the quick reading against encoding/json's: it may leave
// anything to that, and never differs.
func FuzzPlain(f *testing.F) {
	whole := Meta{CommandID: "c", Actor: "a", Authority: "حق", At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Correlation: "k", Causation: "e", Status: "s"}
	bare := whole
	bare.Status, bare.Actor = "", "a \" \\ \x00 < é \u2028"
	for _, m := range []Meta{whole, bare, {}} {
		data, err := m.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		`{"subject":"s","place":"p","sealed":"AAEC"}`, `{"subject":"s","place":"p","sealed":"!"}`, `{"subject":"s","place":"p"}`,
		`{"subject":"s","place":"p","sealed":"AA==","more":"x"}`, `{ "subject":"s","place":"p","sealed":""}`, `{}`, `null`, "{\"subject\":\"\xff\"}",
		`{"subject":"s","subject":"t","sealed":""}`, `{"subject":"s","place":"p","sealed":""}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want Meta
		wrong := json.Unmarshal(data, &want)
		if got, err := (Recorded{Meta: data}).DecodeMeta(); (err == nil) != (wrong == nil) || err == nil && !cmp.Equal(got, want) {
			t.Errorf("%q: read %+v, %v; it is %+v, %v", data, got, err, want, wrong)
		}
		var sealed personalJSON
		wrong = json.Unmarshal(data, &sealed)
		var p Personal[string]
		err := p.UnmarshalJSON(data)
		if (err == nil) != (wrong == nil) || err == nil && !cmp.Equal(personalJSON{p.subject, p.place, p.sealed}, sealed) {
			t.Errorf("%q: read %+v, %v; it is %+v, %v", data, p, err, sealed, wrong)
		}
	})
}

func TestWhatIsWrittenIsPlain(t *testing.T) {
	meta, err := Meta{CommandID: "c", Actor: "policy:x", At: time.Now(), Status: "s"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := json.Marshal(personalJSON{"s", "p", []byte("sealed")})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := plain(meta, metaNames...); !ok {
		t.Errorf("%s is read slowly", meta)
	}
	if _, ok := plain(sealed, personalNames...); !ok {
		t.Errorf("%s is read slowly", sealed)
	}
}

func BenchmarkDecodeMeta(b *testing.B) {
	data, err := Meta{CommandID: "0123456789abcdef-12", Actor: "policy:x", Authority: "applicant", At: time.Now(), Correlation: "140512345678", Causation: "140512345678", Status: "at-office"}.Encode()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := (Recorded{Meta: data}).DecodeMeta(); err != nil {
			b.Fatal(err)
		}
	}
}
