package govahi_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composition is what a test wants to know of compose.yaml.
type composition struct {
	Services map[string]struct {
		Image, Entrypoint any
		Build             map[string]any
		Command           []string
		Environment       map[string]string
		Networks, Volumes []string
		Configs           []struct{ Source, Target string }
		Depends           []string `yaml:"depends_on"`
	}
	Networks, Volumes map[string]any
	Configs           map[string]struct{ Content string }
}

func readComposition(t *testing.T) (c composition) {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCompositionHoldsTogether: no engine has run it yet, so its names at least
// must be names of something.
func TestCompositionHoldsTogether(t *testing.T) {
	c, settings, roles := readComposition(t), settings(t), roles(t)
	played := map[string]int{}
	for name, s := range c.Services {
		for _, other := range s.Depends {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
		for _, network := range s.Networks {
			if _, ok := c.Networks[network]; !ok {
				t.Errorf("%s is on no network %s", name, network)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if _, ok := c.Volumes[from]; !ok && !strings.HasPrefix(from, "./") {
				t.Errorf("%s mounts no volume %s", name, from)
			}
		}
		for _, config := range s.Configs {
			if c.Configs[config.Source].Content == "" {
				t.Errorf("%s reads no config %s", name, config.Source)
			}
		}
		for setting := range s.Environment {
			if strings.HasPrefix(setting, "GOVAHI_") && !slices.Contains(settings, setting) {
				t.Errorf("%s: there is no setting %s", name, setting)
			}
		}
		for role := range strings.FieldsFuncSeq(s.Environment["GOVAHI_ROLES"], func(r rune) bool { return r == ',' }) {
			if played[role]++; !slices.Contains(roles, role) {
				t.Errorf("%s: there is no role %s", name, role)
			}
		}
	}
	for _, role := range roles {
		if played[role] != 2 {
			t.Errorf("%d processes have the role %s", played[role], role)
		}
	}
}

// TestCompositionNamesItsOwn: every server that a connection string names is one
// of the services.
func TestCompositionNamesItsOwn(t *testing.T) {
	c := readComposition(t)
	hosts := regexp.MustCompile(`[@,]([a-z]+-\d):\d+`)
	for name, s := range c.Services {
		for setting, want := range map[string]int{"GOVAHI_LOG": 3, "GOVAHI_NATS": 3, "GOVAHI_POSTGRES": 2, "GOVAHI_VAULT": 2} {
			named := hosts.FindAllStringSubmatch(s.Environment[setting], -1)
			if s.Environment["GOVAHI_ROLES"] != "" && len(named) != want {
				t.Errorf("%s: %s names %d servers", name, setting, len(named))
			}
			for _, host := range named {
				if _, ok := c.Services[host[1]]; !ok {
					t.Errorf("%s: %s names %s, which is not there", name, setting, host[1])
				}
			}
		}
	}
}

// TestOperationsKnowEverySetting of `govahi serve`, and no other, and every role.
func TestOperationsKnowEverySetting(t *testing.T) {
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "### Settings of `serve` and `up`")
	table, _, _ = strings.Cut(table, "\n###")
	named := regexp.MustCompile("GOVAHI_[A-Z0-9_]+").FindAllString(table, -1)
	others := []string{"GOVAHI_NODE_USERS", "GOVAHI_TOKENS", "GOVAHI_SERVER", "GOVAHI_BEARER_FILE"} // of other commands
	for _, setting := range settings(t) {
		if !slices.Contains(named, setting) && !slices.Contains(others, setting) {
			t.Errorf("the table of settings lacks %s", setting)
		}
	}
	for _, setting := range regexp.MustCompile("GOVAHI_[A-Z0-9_]+").FindAllString(string(text), -1) {
		if !slices.Contains(settings(t), setting) && setting != "GOVAHI_TEST_ESDB" && setting != "GOVAHI_BEARER" {
			t.Errorf("there is no setting %s", setting)
		}
	}
	for _, role := range roles(t) {
		if !strings.Contains(string(text), "\n| `"+role+"` |") {
			t.Errorf("the table of roles lacks %s", role)
		}
	}
}

// settings are the names in the programs' env tags.
func settings(t *testing.T) []string {
	return inSource(t, "cmd", regexp.MustCompile(`env:"(GOVAHI_[A-Z0-9_]+)"`))
}

// roles are the values of the program's constants.
func roles(t *testing.T) []string {
	return inSource(t, "cmd/govahi", regexp.MustCompile(`(?m)^\trole[A-Z]\w*\s+= "(\w+)"`))
}

// inSource are the texts that an expression finds in Go files below a directory.
func inSource(t *testing.T, dir string, expression *regexp.Regexp) (found []string) {
	t.Helper()
	for _, file := range sources(t, dir) {
		text, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range expression.FindAllStringSubmatch(string(text), -1) {
			found = append(found, m[1])
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s holds nothing like %s", dir, expression)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
