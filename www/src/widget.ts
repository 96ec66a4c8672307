// Turns one line on a page into search and a chat: adds the element that holds both, unless the page has one.
import "./index.js";

if (!document.querySelector("anchorite-widget")) document.body.append(document.createElement("anchorite-widget"));
