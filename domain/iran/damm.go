package iran

// dammTable is the totally anti-symmetric quasigroup of order 10 from H. M.
// Damm's thesis (2004): its diagonal is zero, so a number with its check digit
// appended ends at zero, and no single wrong digit and no swap of neighbours
// does.
var dammTable = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

// damm returns the check digit of ASCII digits; it is '0' for digits that
// already end in their check digit.
func damm(digits string) byte {
	interim := byte(0)
	for i := range len(digits) {
		interim = dammTable[interim][digits[i]-'0']
	}
	return '0' + interim
}
