// Package sso knows who asks: it checks the bearer tokens of an OpenID Connect
// issuer, such as Dolat-e Man (domain §5.1), and is such an issuer itself for
// development, with a fixed cast of invented people.
package sso
