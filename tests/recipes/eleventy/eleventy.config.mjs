// Turns the pages of this folder into the Eleventy site that the comparison reads.
import highlighting from "@11ty/eleventy-plugin-syntaxhighlight";
import anchors from "markdown-it-anchor";
import containers from "markdown-it-container";
import definitions from "markdown-it-deflist";
import footnotes from "markdown-it-footnote";

export default function (eleventy) {
  eleventy.addPlugin(highlighting, { preAttributes: { tabindex: 0 } });
  eleventy.addPassthroughCopy({ "content/img": "img" });
  eleventy.amendLibrary("md", (md) => {
    md.use(anchors, { permalink: anchors.permalink.linkInsideHeader({ symbol: "Permalink", placement: "after" }) });
    md.use(definitions).use(footnotes);
    md.use(containers, "callout", {
      render(tokens, idx) {
        const title = tokens[idx].info.trim().slice("callout".length).trim();
        return tokens[idx].nesting === 1 ? `<aside class="callout"><p class="callout-title">${title}</p>` : "</aside>";
      },
    });
  });
  eleventy.addShortcode("badge", (text) => `<span class="badge">${text}</span>`);
  eleventy.addPairedShortcode("card", (body, title) => `<div class="card"><h3>${title}</h3>${body}</div>`);
  eleventy.addFilter("day", (date) => date.toISOString().slice(0, 10));
}

export const config = {
  dir: { input: "content", output: "dist" },
  markdownTemplateEngine: "njk",
};
