package profiles_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"govahi/adapters/pki/profiles"
	"govahi/domain/fault/faulttest"
)

// bomb is a few lines that would unfold to a thousand million values.
func bomb() string {
	text := "subject:\n  - &a0 {type: [x, x, x, x, x, x, x, x, x, x]}\n"
	for n := 1; n < 9; n++ {
		all := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", n-1), 10), ", ")
		text += fmt.Sprintf("  - &a%d {type: [%s]}\n", n, all)
	}
	return text
}

func utf16Of(text string) string {
	bytes := []byte{0xff, 0xfe}
	for _, c := range utf16.Encode([]rune(text)) {
		bytes = append(bytes, byte(c), byte(c>>8))
	}
	return string(bytes)
}

// TestWhatIsNoProfileIsRefusedAsAFile: whatever lies where a profile belongs, it
// is refused soon, by name, in both languages, and stays as it is.
func TestWhatIsNoProfileIsRefusedAsAFile(t *testing.T) {
	whole, err := os.ReadFile("person-encryption@1.yaml")
	must(t, err)
	text := func(content string) func(string) error {
		return func(file string) error { return os.WriteFile(file, []byte(content), 0o644) }
	}
	for name, c := range map[string]struct {
		lay    func(file string) error
		fa, en string
	}{
		"nothing in it":          {text(""), "خالی", "empty"},
		"a comment alone":        {text("# nothing\n"), "خالی", "empty"},
		"null":                   {text("null\n"), "هیچ (null)", "mapping is expected"},
		"a word":                 {text("hello"), "متن آمده", "mapping is expected"},
		"a list":                 {text("- name: x\n"), "فهرست (sequence)", "mapping is expected"},
		"JSON that is cut off":   {text(`{"name": "x"`), "YAML درست نیست", "[1:"},
		"HTML":                   {text("<html><body>404</body></html>"), "متن آمده", "mapping is expected"},
		"a tab":                  {text("name: x\n\tversion: 1\n"), "YAML درست نیست", "[2:1]"},
		"an alias bomb":          {text(bomb()), "نام مستعار", "aliases"},
		"one alias":              {text("name: &a x\nproduct: *a\n"), "نام مستعار", "aliases"},
		"a merge":                {text("<<: {name: x}\n"), "نام مستعار", "aliases"},
		"an alias of itself":     {text("title: &a {fa: *a, en: x}\n"), "نام مستعار", "aliases"},
		"many brackets":          {text("keys: " + strings.Repeat("[", 30_000)), "در هم رفته", "nested"},
		"many braces":            {text("title: " + strings.Repeat("{fa: ", 10_000)), "در هم رفته", "nested"},
		"an unknown field":       {text("levle: 2\n" + string(whole)), "خانه‌ای به نام \"levle\"", `unknown field "levle"`},
		"a field twice":          {text(string(whole) + "level: 2\n"), "\"level\" دو بار", "level"},
		"another type":           {text("version: [1]\n"), "به جای آن عدد", "version"},
		"half a version":         {text("version: 12.5\n"), "\"12.5\" مقدار درستی نیست؛ به جای آن عدد صحیح", "write a whole number"},
		"a power of ten":         {text("version: 1e2\n"), "\"1e2\" مقدار درستی نیست", "[1:10]"},
		"a text of half":         {text("version: \"12.5\"\n"), "\"12.5\" مقدار درستی نیست", "write a whole number"},
		"half a year":            {text("validity: {years: 0.5}\n"), "\"0.5\" مقدار درستی نیست", "[1:19]"},
		"a number out of bounds": {text("version: 99999999999999999999\n"), "بیش از اندازه بزرگ", "[1:10]"},
		"UTF-16":                 {text(utf16Of(string(whole))), "کدگذاری UTF-8", "encoding"},
		"Windows-1256":           {text("title: {fa: \"\xc7\xe3\xd6\xc7\", en: x}\n"), "کدگذاری UTF-8", "encoding"},
		"a byte order mark":      {text("\ufeff" + string(whole)), "نشان ترتیب بایت (BOM)", "byte order mark"},
		"NUL":                    {text("name: a\x00b\n"), "کنترلی", "control characters"},
		"an escape sequence":     {text("# \x1b[2J\n" + string(whole)), "کنترلی", "control characters"},
		"a private key":          {text("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"), "کلید خصوصی", "private key"},
		"a second document":      {text(string(whole) + "---\nname: two\n"), "سند دومی", "second document"},
		"100 MB": {func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 100<<20))
		}, "بلندتر", "longer than"},
		"a directory":              {func(file string) error { return os.Mkdir(file, 0o755) }, "پروندهٔ معمولی", "no regular file"},
		"a pipe that nobody fills": {func(file string) error { return syscall.Mkfifo(file, 0o644) }, "پروندهٔ معمولی", "no regular file"},
		"a device without an end":  {func(file string) error { return os.Symlink("/dev/zero", file) }, "پروندهٔ معمولی", "no regular file"},
		"a link to itself":         {func(file string) error { return os.Symlink(filepath.Base(file), file) }, "خوانده نمی‌شود", "too many levels"},
		"a link to nothing":        {func(file string) error { return os.Symlink("nothing", file) }, "خوانده نمی‌شود", "no such file"},
		"one that cannot be read":  {func(file string) error { return os.Symlink("/proc/self/mem", file) }, "خوانده نمی‌شود", "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := good(t)
			file := filepath.Join(dir, "person-encryption@1.yaml")
			must(t, os.Remove(file))
			must(t, c.lay(file))
			began := time.Now()
			_, err := profiles.Load(dir)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{file, c.fa, c.en, "چیزی تغییر نکرد", "nothing was changed"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("no %q in:\n%v", part, err)
				}
			}
			if err := faulttest.Remarked(err.Error(), c.fa); err != nil {
				t.Error(err)
			}
			if strings.Contains(err.Error(), "AAAA") || len(err.Error()) > 4<<10 {
				t.Errorf("%d bytes are said: %.200s", len(err.Error()), err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestLinesMayEndAsOnWindows: that is how some editors save, and changes nothing.
func TestLinesMayEndAsOnWindows(t *testing.T) {
	dir := good(t)
	file := filepath.Join(dir, "person-encryption@1.yaml")
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), 0o644))
	s, err := profiles.Load(dir)
	must(t, err)
	was, _ := profiles.Default().Find("person-encryption@1")
	if is, ok := s.Find("person-encryption@1"); !ok || is.Hash() != was.Hash() {
		t.Error("another profile was read")
	}
}

// TestADiscreetRefusalRepeatsNothing of the file, and says where and why all the
// same.
func TestADiscreetRefusalRepeatsNothing(t *testing.T) {
	var into struct {
		Name string
		Days int
		Who  struct{ File string }
		Each map[string][]int
	}
	for text, said := range map[string][2]string{
		"name: [secret]":             {"[1:7] … مقدار درستی نیست", "write a text"},
		"days: secret":               {"[1:7] … مقدار درستی نیست", "write a whole number"},
		"days: 2.5":                  {"[1:7] … مقدار درستی نیست", "write a whole number"},
		"each: {a: [1, 2.5]}":        {"[1:15] … مقدار درستی نیست", "write a whole number"},
		"days: 99999999999999999999": {"[1:7] عدد … بیش از اندازه", "the number … is too large"},
		"secret: 1":                  {"[1:1] خانه‌ای به نام … شناخته نیست", "there is no field …"},
		"who: {secret: 1}":           {"خانه‌ای به نام … شناخته نیست", "there is no field …"},
		"who: secret":                {"متن آمده", "here is a text where a mapping belongs"},
		"name: secret\nname: 1":      {"[2:1] خانهٔ … دو بار", "the field … stands twice"},
		"name: [secret":              {"YAML درست نیست", "it is no YAML"},
	} {
		err := profiles.DecodeDiscreetly([]byte(text), &into)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "99999") || !strings.Contains(err.Error(), said[1]) {
			t.Errorf("of %q: %v", text, err)
			continue
		}
		if err := faulttest.Remarked(err.Error(), said[0]); err != nil {
			t.Errorf("of %q: %v", text, err)
		}
	}
	if err := profiles.DecodeDiscreetly([]byte("days: 3\neach: {a: [1, -2], b:}"), &into); err != nil || into.Days != 3 || len(into.Each["a"]) != 2 {
		t.Errorf("of what is right: %v", err)
	}
}
