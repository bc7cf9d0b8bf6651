package projections

// Building is how many views read the log together at present.
func (r *Runner) Building() int {
	r.reading.mu.Lock()
	defer r.reading.mu.Unlock()
	return len(r.reading.readers)
}
