"use strict";
// Shows /openapi.json. All text goes in as text, never as markup.

function element(name, content, attributes) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  for (const part of [content || []].flat()) node.append(part);
  return node;
}

function reference(schema) {
  const name = schema.$ref.split("/").pop();
  return element("a", name, { href: "#schema-" + name });
}

// A schema in one line, named ones as links.
function brief(schema) {
  if (schema === undefined) return ["binary"];
  if (schema.$ref) return [reference(schema)];
  for (const [key, word] of [["anyOf", " or "], ["oneOf", " or "]]) {
    if (schema[key]) return schema[key].flatMap((part, index) => (index ? [word] : []).concat(brief(part)));
  }
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const types = [schema.type || "any"].flat().join(" or ");
  if (schema.items) return ["array of "].concat(brief(schema.items));
  if (schema.properties) {
    return ["object {"].concat(Object.keys(schema.properties).join(", "), "}");
  }
  if (schema.additionalProperties) return ["object of "].concat(brief(schema.additionalProperties));
  const range = [schema.minimum ?? schema.minLength, schema.maximum ?? schema.maxLength];
  const bounds = range[0] === undefined && range[1] === undefined ? "" : ` (${range[0] ?? ""}…${range[1] ?? ""})`;
  return [types + (schema.format ? " " + schema.format : "") + bounds];
}

function table(heads, rows) {
  const head = element("tr", heads.map((text) => element("th", text, { scope: "col" })));
  return element("table", [head].concat(rows.map((row) => element("tr", row.map((cell) => element("td", cell))))));
}

function members(schema) {
  const required = new Set(schema.required || []);
  return table(["Member", "Value", ""], Object.entries(schema.properties || {}).map(([name, value]) => [
    element("code", name + (required.has(name) ? "" : "?")), brief(value), value.description || "",
  ]));
}

function content(body) {
  return Object.entries((body && body.content) || {}).flatMap(([type, value]) => [
    element("code", type), " ", ...brief(value.schema),
  ]);
}

function operation(method, path, item) {
  const title = element("summary", [element("b", method.toUpperCase()), element("code", path), " ", item.summary]);
  const parts = [title, element("p", item.description || "")];
  if (item.parameters) {
    parts.push(table(["Parameter", "In", "Value", ""], item.parameters.map((parameter) => [
      element("code", parameter.name), parameter.in, brief(parameter.schema), parameter.description || "",
    ])));
  }
  if (item.requestBody) parts.push(element("p", ["Body: "].concat(content(item.requestBody))));
  parts.push(table(["Status", "", "Content"], Object.entries(item.responses).map(([status, response]) => [
    status, response.description, content(response),
  ])));
  const node = element("details", parts, { id: item.operationId });
  node.dataset.text = (method + " " + path + " " + item.summary).toLowerCase();
  return node;
}

async function show() {
  const introduction = document.getElementById("introduction");
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error("openapi.json: " + answer.status);
  const api = await answer.json();
  introduction.textContent = api.info.description;
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, value] of Object.entries(item)) {
      const tag = value.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(method, path, value));
    }
  }
  for (const [tag, nodes] of groups) {
    document.getElementById("operations").append(element("section", [element("h2", tag)].concat(nodes)));
  }
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    document.getElementById("schemas").append(
      element("details", [element("summary", element("code", name)), members(schema)], { id: "schema-" + name }));
  }
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const node of document.querySelectorAll("#operations details")) {
      node.hidden = !node.dataset.text.includes(wanted);
    }
  });
  const open = () => {
    const node = document.getElementById(location.hash.slice(1));
    if (node instanceof HTMLDetailsElement) { node.open = true; node.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();
}

show().catch((error) => {
  document.getElementById("introduction").textContent = "The description cannot be shown: " + error.message;
});
