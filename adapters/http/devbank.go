package http

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// devBankPath is where the simulated banks stand, in development only.
const devBankPath = "/dev/bank"

// declareDevBank lets the simulated banks answer for themselves: they are
// servers of the world outside that happen to live here.
func (s *Server) declareDevBank(banks http.Handler) {
	handler := adaptor.HTTPHandler(http.StripPrefix(devBankPath, banks))
	for _, method := range []string{fiber.MethodGet, fiber.MethodPost} {
		s.declared[method+" "+devBankPath+"/*"] = true
		s.app.Add(method, devBankPath+"/*", handler)
	}
}
