package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// issuance measures the issuance handler from confirmed requests to certificates
// that are on record: intent, lint, check of the officer's signature, fence,
// signature, record. Beside it, in turn, as many lints of the same certificates
// and signatures by the same key on the same token, by as many workers. Issuer and
// holders have keys of one kind.
func (r *benchRun) issuance(ctx context.Context) error {
	for _, algorithm := range []string{"rsa-2048", "p-256"} {
		if err := r.issuanceBy(ctx, algorithm); err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
	}
	return nil
}

func (r *benchRun) issuanceBy(ctx context.Context, algorithm string) error {
	name := "issuance-" + algorithm
	r.step("a CA of " + algorithm)
	ca := filepath.Join(r.dir, name, "ca")
	if err := holdCeremony(ctx, ca, algorithm); err != nil {
		return err
	}
	h, err := r.still(ctx, name)
	if err != nil {
		return err
	}
	return errors.Join(r.issuanceIn(ctx, h, algorithm, ca), h.leave())
}

// holdCeremony is that of development, but for the issuer's kind of key.
func holdCeremony(ctx context.Context, dir, algorithm string) error {
	file := filepath.Join(filepath.Dir(filepath.Dir(dir)), algorithm+".yaml")
	plan := fmt.Sprintf(benchCeremony, algorithm)
	if err := os.WriteFile(file, []byte(plan), 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, beside("govahi-signer"), "ceremony", file, "--dir", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the CA's ceremony failed: %w: %s", err, out)
	}
	return nil
}

const benchCeremony = `mode: development
token: {software: true}
root: {algorithm: p-384, name: {organization: Govahi Bench, commonName: Govahi Bench Root CA}, years: 20}
issuer: {algorithm: %s, name: {organization: Govahi Bench, commonName: Govahi Bench CA}, years: 10}
responder: {algorithm: p-256}
wrapping: {algorithm: aes-256}
`

func (r *benchRun) issuanceIn(ctx context.Context, h *home, algorithm, ca string) error {
	m, err := r.confirming(ctx, h, algorithm)
	if err != nil {
		return err
	}
	bare, err := bareToken(ctx, ca)
	if err != nil {
		return err
	}
	r.step(fmt.Sprintf("issuing %d certificates a round", r.issued))
	var requests []event.Stream
	issue := r.profiled("issuance-"+algorithm, func() (float64, error) { return issueRate(ctx, h.app, requests) })
	var issued [][]byte
	p, err := r.inTurn(8, func() (rate float64, err error) {
		if requests, err = m.confirmAll(ctx, r.issued); err != nil {
			return 0, err
		}
		if rate, err = issue(); err == nil {
			issued, err = m.certificates(ctx, requests)
		}
		return rate, err
	}, func() (float64, error) { return bare.rate(issued) })
	if err = errors.Join(err, bare.end()); err != nil {
		return err
	}
	bounds, err := m.bounds(ctx, requests)
	if err != nil {
		return err
	}
	f := p.figure("issuance", fmt.Sprintf("issuance end to end, %s", strings.ToUpper(algorithm)), "/s").atLeast(0.5)
	r.report.add(f.noted(
		"issuer and holders have such keys, the officer P-256; %d requests abreast; the ceiling is lint and C_Sign alone, with the same key, of the same certificates; %s",
		policies.Parallel, bounds(*f.Ceiling)))
	return nil
}

// bounds tell what the ratio could be at most, by the log's calls alone.
func (m *confirming) bounds(ctx context.Context, requests []event.Stream) (func(ceiling float64) string, error) {
	ours, err := m.logAlone(ctx, requests, false)
	if err != nil {
		return nil, err
	}
	least, err := m.logAlone(ctx, requests, true)
	return func(ceiling float64) string {
		return fmt.Sprintf("the five appends and four reads of each alone, with nothing decided, go at %.0f/s: with lint and signature, and all else for nothing, "+
			"the ratio would be %.2f; with only the three appends and two reads that the rule against lost certificates asks for (%.0f/s alone) it would be %.2f",
			ours, 1/(1+ceiling/ours), least, 1/(1+ceiling/least))
	}, err
}

// issueRate is how often a second the handler takes a request to its certificate,
// with as many abreast as the policy's runner has.
func issueRate(ctx context.Context, app *commands.App, requests []event.Stream) (float64, error) {
	all, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	began := time.Now()
	for range policies.Parallel {
		all.Go(func() error {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(requests) {
					return nil
				}
				c := commands.Caller{Policy: "issue-on-issuance-requested", Key: "bench-" + requests[k].ID()}
				if err := app.Issue(ctx, c, requests[k]); err != nil {
					return err
				}
			}
		})
	}
	err := all.Wait()
	return float64(len(requests)) / time.Since(began).Seconds(), err
}

// certificates are those that were issued; each request must have one.
func (m *confirming) certificates(ctx context.Context, requests []event.Stream) (all [][]byte, err error) {
	for _, stream := range requests {
		request, err := enrollment.Kind.Fold(ctx, m.app.Log, stream)
		if err != nil {
			return nil, err
		}
		der, err := m.certificate(ctx, request.Serial)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", stream, err)
		}
		all = append(all, der)
	}
	return all, nil
}

func (m *confirming) certificate(ctx context.Context, serial string) ([]byte, error) {
	c, err := m.app.StatusOf(ctx, serial)
	switch {
	case err != nil:
		return nil, err
	case c.Status != certificate.Valid:
		return nil, certificate.ErrNotIssued
	}
	held, err := c.Issued.Certificate.Open(ctx, m.app.Keeper)
	return held.DER, err
}

// bareSigner is a process that lints and signs, and does nothing else.
type bareSigner struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func bareToken(ctx context.Context, ca string) (*bareSigner, error) {
	cmd := exec.CommandContext(ctx, beside("govahi-signer"), "measure", "--dir", ca)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &bareSigner{cmd, in, json.NewDecoder(out)}, cmd.Start()
}

func (b *bareSigner) rate(certificates [][]byte) (float64, error) {
	question := struct {
		Certificates [][]byte `json:"certificates"`
		Workers      int      `json:"workers"`
	}{certificates, policies.Parallel}
	if err := json.NewEncoder(b.in).Encode(question); err != nil {
		return 0, err
	}
	var took struct{ Seconds float64 }
	if err := b.out.Decode(&took); err != nil {
		return 0, fmt.Errorf("the bare token: %w", err)
	}
	return float64(len(certificates)) / took.Seconds, nil
}

func (b *bareSigner) end() error { return errors.Join(b.in.Close(), b.cmd.Wait()) }
