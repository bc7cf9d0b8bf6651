package main_test

import (
	"fmt"
	"strings"

	"govahi/domain/fault/faulttest"
)

// bilingual wants every row of check twice, in Persian and behind it in English,
// with the same verdict.
func bilingual(out string) error {
	lines, rows := strings.Split(out, "\n"), 0
	for n, line := range lines {
		for en, fa := range map[string]string{"  ok  ": "  درست", "  WRONG  ": "  نادرست"} {
			if !strings.Contains(line, en) {
				continue
			}
			rows++
			if n == 0 || faulttest.HasPersian(line) || !strings.Contains(lines[n-1], fa) {
				return fmt.Errorf("no %q before, or Persian in %q", fa, line)
			}
		}
	}
	if rows == 0 {
		return fmt.Errorf("no rows in %q", out)
	}
	return nil
}
