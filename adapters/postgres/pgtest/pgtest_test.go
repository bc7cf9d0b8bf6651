package pgtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
)

func TestEachTestIsAlone(t *testing.T) {
	for range 2 {
		t.Run("alone", func(t *testing.T) {
			pool := pgtest.Pool(t)
			if _, err := pool.Exec(t.Context(), "CREATE TABLE mine (n int)"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHangs is the body of the test binary that TestNothingOutlivesAKill kills.
func TestHangs(t *testing.T) {
	if os.Getenv("GOVAHI_TEST_HANG") == "" {
		return
	}
	var dir string
	if err := pgtest.Pool(t).QueryRow(t.Context(), "SELECT current_setting('data_directory')").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	fmt.Println("directory", dir)
	select {}
}

func TestNothingOutlivesAKill(t *testing.T) {
	binary := exec.Command(os.Args[0], "-test.run=^TestHangs$")
	binary.Env = append(os.Environ(), "GOVAHI_TEST_HANG=1")
	output, err := binary.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := binary.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	dir, told := strings.CutPrefix(strings.TrimSpace(line), "directory ")
	if err != nil || !told {
		t.Fatalf("%q, %v", line, err)
	}
	_ = binary.Process.Kill()
	_ = binary.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := os.Stat(filepath.Dir(dir))
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server's files are still there")
		}
	}
}
