// Turns the pages of this folder into the Starlight site that the comparison reads.
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";

export default defineConfig({
  site: "https://hub.example",
  outDir: "dist",
  markdown: { remarkPlugins: [remarkMath], rehypePlugins: [rehypeKatex] },
  integrations: [
    starlight({
      title: "Brindle Hub",
      description: "The box that listens to every hive of an apiary.",
      lastUpdated: false,
      editLink: { baseUrl: "https://code.example/brindle/hub/edit/main/" },
      social: [{ icon: "github", label: "Source of the hub", href: "https://code.example/brindle/hub" }],
      sidebar: [
        { label: "Guides", autogenerate: { directory: "guides" } },
        {
          label: "Reference",
          badge: { text: "Stable", variant: "success" },
          autogenerate: { directory: "reference" },
        },
      ],
    }),
  ],
});
