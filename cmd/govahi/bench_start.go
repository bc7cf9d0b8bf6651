package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// start measures what a long log costs: appends beside those to an empty log,
// the time until a house is ready, and its memory, both beside an empty house.
func (r *benchRun) start(ctx context.Context) error {
	h, err := r.history(ctx)
	if err != nil {
		return err
	}
	if err := r.uptodate(ctx, h); err != nil {
		return err
	}
	empty, err := r.node(ctx, "empty-log")
	if err != nil {
		return err
	}
	defer empty.close()
	const callers = 64
	r.step("appends to the long log")
	p, err := r.inTurn(
		12,
		func() (float64, error) { return appendRate(ctx, h.log, callers, r.each) },
		func() (float64, error) { return appendRate(ctx, empty.log, callers, r.each) },
	)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("durable appends to a log of %d events, %d callers", r.Events, callers)
	r.report.add(p.figure("start", what, "appends/s").atLeast(0.8).noted("the ceiling is an empty log"))
	if err := r.leaveHistory(ctx); err != nil {
		return err
	}
	return r.starts(ctx)
}

// leaveHistory ends the house in this process, so that another may begin. The
// bus was away while the log grew: like everybody else it begins where that is.
func (r *benchRun) leaveHistory(ctx context.Context) error {
	if r.left || r.long == nil {
		return nil
	}
	r.left = true
	return errors.Join(r.long.dealtWith(ctx), r.long.leave(), os.RemoveAll(r.long.data.path("nats")))
}

// starts begins an empty house and the long one in turn.
func (r *benchRun) starts(ctx context.Context) error {
	r.step("starting")
	var took pair
	var memory [2]memoryUse
	last := min(3, r.rounds)
	for round := range last + 1 {
		for n, name := range []string{"empty", "long"} {
			began := time.Now()
			var i *instance
			err := r.profile("start-"+name, func() (err error) { i, err = r.instance(ctx, name); return err })
			if err != nil {
				return err
			}
			ready := time.Since(began).Seconds()
			switch {
			case round == 0: // an empty house first makes its CA and its databases
			case n == 0:
				took.ceiling = append(took.ceiling, ready)
			default:
				took.ours = append(took.ours, ready)
			}
			if round == last {
				if err := i.quiet(ctx); err != nil {
					return err
				}
				memory[n] = memoryOf(i.cmd.Process.Pid)
			}
			if err := i.stop(); err != nil {
				return err
			}
		}
	}
	emptyTook, emptyUse := median64(took.ceiling), memory[0].tree
	what := fmt.Sprintf("with %d events in the log", r.Events)
	r.report.add(figure{
		Row: "start", What: "start until ready, " + what, Unit: "s",
		Ours: median64(took.ours), Spread: spreadOf(took.ours), Ceiling: &emptyTook,
	}.atMost(3).noted("beside it, an empty log"))
	r.report.add(figure{
		Row: "start", What: "memory when ready, " + what, Unit: "MB", Ours: memory[1].tree, Ceiling: &emptyUse,
	}.atMost(500).noted("all processes of the house, what they share counted once, and beside it an empty house; govahi alone holds %.0f MB, with an empty log %.0f MB",
		memory[1].alone, memory[0].alone))
	return nil
}

// memoryUse is in MB, by the proportional set size: a page that several processes
// share counts once.
type memoryUse struct{ tree, alone float64 }

func memoryOf(pid int) memoryUse {
	u := memoryUse{alone: proportional(pid)}
	u.tree = u.alone
	for _, child := range childProcesses(pid) {
		u.tree += memoryOf(child).tree
	}
	return u
}

func proportional(pid int) float64 {
	var kib float64
	_, _ = fmt.Sscan(fieldOf(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss"), &kib) // a process that has ended has none
	return kib * 1024 / 1e6
}

func childProcesses(pid int) (children []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // as above
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(word)
			children = append(children, child)
		}
	}
	return children
}
