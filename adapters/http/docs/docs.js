"use strict";
const $ = (id) => document.getElementById(id);
const make = (tag, props, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
};
const code = (text) => make("code", { textContent: text });
const nameOf = (ref) => ref.split("/").pop();

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return make("a", { href: "#schema-" + nameOf(schema.$ref), textContent: nameOf(schema.$ref) });
  if (schema.enum) return code(schema.enum.map((v) => JSON.stringify(v)).join(" | "));
  const type = [].concat(schema.type || "any").filter((t) => t !== "null").join(" | ");
  if (type === "array") return make("span", {}, "list of ", typeOf(schema.items));
  return code(type + (schema.format ? " (" + schema.format + ")" : ""));
}

function limits(schema) {
  const named = ["minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern"];
  return named.filter((n) => schema && schema[n] !== undefined).map((n) => n + " " + schema[n]).join(", ");
}

function table(rows) {
  const body = rows.map((cells) => make("tr", {}, ...cells.map((c) => make("td", {}, c))));
  return make("table", {}, make("tbody", {}, ...body));
}

function properties(schema) {
  if (!schema || !schema.properties) return make("p", {}, typeOf(schema));
  const needed = new Set(schema.required || []);
  return table(Object.entries(schema.properties).map(([name, p]) =>
    [code(name), typeOf(p), needed.has(name) ? "required" : "", limits(p), p.description || ""]));
}

function content(media) {
  return Object.entries(media || {}).map(([type, m]) => make("p", {}, code(type), " ", typeOf(m.schema)));
}

function operation(path, method, op) {
  const head = make("summary", {},
    make("span", { className: "method " + method, textContent: method.toUpperCase() }), code(path),
    make("span", { className: "said", textContent: op.summary || "" }),
    make("span", { className: "lock", textContent: op.security ? "token" : "public" }));
  const body = make("div", {}, make("p", { textContent: op.description || "" }));
  if (op.parameters) {
    body.append(make("h4", { textContent: "Parameters" }), table(op.parameters.map((p) =>
      [code(p.name), p.in, typeOf(p.schema), p.required ? "required" : "", limits(p.schema), p.description || ""])));
  }
  if (op.requestBody) body.append(make("h4", { textContent: "Body" }), ...content(op.requestBody.content));
  body.append(make("h4", { textContent: "Answers" }));
  for (const [status, r] of Object.entries(op.responses || {})) {
    body.append(make("p", {}, code(status), " " + (r.description || "")), ...content(r.content));
    for (const h of Object.keys(r.headers || {})) body.append(make("p", {}, "header ", code(h)));
  }
  const e = make("details", { id: op.operationId }, head, body);
  e.dataset.text = [path, method, op.operationId, op.summary, op.description].join(" ").toLowerCase();
  return e;
}

function show(api) {
  $("version").textContent = api.info.version;
  $("about").textContent = api.info.description || "";
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths || {})) {
    for (const [method, op] of Object.entries(methods)) {
      const tag = (op.tags || ["Other"])[0] || "Other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, method, op));
    }
  }
  $("operations").replaceChildren(...[...groups].sort().map(([tag, all]) =>
    make("section", {}, make("h2", { textContent: tag }), ...all)));
  const schemas = (api.components && api.components.schemas) || {};
  $("schemas").replaceChildren(...Object.entries(schemas).sort().map(([name, schema]) =>
    make("details", { id: "schema-" + name }, make("summary", {}, code(name)), make("div", {}, properties(schema)))));
}

$("filter").addEventListener("input", (e) => {
  const wanted = e.target.value.toLowerCase();
  for (const d of document.querySelectorAll("#operations details")) d.hidden = !d.dataset.text.includes(wanted);
});
addEventListener("hashchange", () => {
  const target = $(location.hash.slice(1));
  if (target) { target.open = true; target.scrollIntoView(); }
});
fetch("/openapi.json").then((r) => r.json()).then(show).catch((err) => {
  $("operations").textContent = "Cannot read /openapi.json: " + err;
});
