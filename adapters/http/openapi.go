package http

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

const openAPIType = "application/openapi+json"

// openAPI is huma without what it would add of its own: a $schema in every
// answer, and a documentation page that loads from elsewhere.
func openAPI(version string) huma.Config {
	c := huma.DefaultConfig("Govahi", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = []huma.Transformer{translated}
	c.Info.Description = aboutAPI
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearerScheme: {Type: "http", Scheme: bearerScheme, BearerFormat: "JWT", Description: "A token of the OpenID Connect issuer"},
	}
	return c
}

const aboutAPI = `Registration offices and the intermediate certificate authority of the oil industry.

Commands need a bearer token and an Idempotency-Key, and answer where their facts stand in the header Govahi-Position; ` +
	`a query with ?after= that position shows them. Refusals are application/problem+json (RFC 9457), in Persian or, ` +
	`if Accept-Language prefers it, in English; a browser, which prefers text/html, gets a page. Their code is stable.

What a screen follows has a /stream under its path, of server-sent events. It ends with its token, with the right to it, or with the house: ` +
	`the event end tells why, and who comes back with Last-Event-ID misses nothing.

400 says that a request is not of the operation's form, as this document has it, and was not looked into: a body over 1 MiB, of another ` +
	`media type, of broken UTF-8 or with lone surrogates, with a name twice, an unknown one or one in another case, nested more than ` +
	`32 deep, of wrong types, lengths, patterns or numbers out of range, or an unknown parameter. 422 says that the form is right and a ` +
	`value is not, such as a national code's check digit or a day that no calendar has. ` +
	`Either names the field and, in a body, its JSON Pointer, all of them if there are several, and repeats nothing that was sent: ` +
	`for a name that this document does not have stands a star.`

func (s *Server) describeAll() []byte {
	document, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic("http: the OpenAPI document: " + err.Error())
	}
	return document
}
