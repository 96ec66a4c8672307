//! Turns the pages of a folder of documents into the lists that lead from page to page.

use std::collections::{BTreeMap, HashMap};

use anchorite::index::parse::page_key;

/// Sites with at most so many pages list all of them on every page; larger ones only the folders on the way to the page.
const MAX_LISTED_EVERYWHERE: usize = 80;
/// The file of a folder's own page.
const INDEX: &str = "index.html";

/// A page of the site.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its file, below the root of the site.
    pub(super) file: String,
    /// Its address, relative to the root of the site.
    pub(super) url: String,
    pub(super) title: String,
}

/// An entry in a page's list of pages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) title: String,
    /// Relative to the root of the site; `None` for a folder without a page of its own.
    pub(super) url: Option<String>,
    pub(super) is_current: bool,
    pub(super) children: Vec<Node>,
}

/// All pages, in the order in which a reader meets them.
pub(super) struct Navigation {
    top: Folder,
    order: Vec<Entry>,
    /// The place of each file in the order.
    places: HashMap<String, usize>,
}

#[derive(Default)]
struct Folder {
    /// The file of its own page.
    index: Option<String>,
    pages: Vec<String>,
    folders: BTreeMap<String, Folder>,
    /// Its pages and folders in one list, once they are sorted.
    children: Vec<Child>,
}

#[derive(Debug, Clone)]
enum Child {
    /// By its file.
    Page(String),
    /// By its name.
    Folder(String),
}

impl Navigation {
    /// `linked` are the keys of pages in the order in which the first pages of the site and of its folders link to them;
    /// all others follow by name.
    pub(super) fn new(entries: Vec<Entry>, linked: &[String]) -> Self {
        let mut ranks: HashMap<&str, usize> = HashMap::new();
        for (rank, key) in linked.iter().enumerate() {
            ranks.entry(key).or_insert(rank);
        }
        let mut top = Folder::default();
        for Entry { file, .. } in &entries {
            let (path, name) = file.rsplit_once('/').unwrap_or(("", file));
            let mut folder = &mut top;
            for part in path.split('/').filter(|part| !part.is_empty()) {
                folder = folder.folders.entry(part.to_owned()).or_default();
            }
            if name == INDEX {
                folder.index = Some(file.clone());
            } else {
                folder.pages.push(file.clone());
            }
        }
        top.sort(&|file| ranks.get(page_key(file)).copied().unwrap_or(usize::MAX));
        let mut files = Vec::new();
        top.walk(&mut files);
        let mut known: HashMap<String, Entry> = entries
            .into_iter()
            .map(|entry| (entry.file.clone(), entry))
            .collect();
        let order: Vec<Entry> = files.iter().filter_map(|file| known.remove(file)).collect();
        let places = order.iter().enumerate();
        Self {
            top,
            places: places.map(|(at, entry)| (entry.file.clone(), at)).collect(),
            order,
        }
    }

    /// The list for the page in `file`: all pages of a small site, else the folders that lead to the page.
    pub(super) fn list(&self, file: &str) -> Vec<Node> {
        let is_small = self.order.len() <= MAX_LISTED_EVERYWHERE;
        self.nodes(&self.top, "", file, is_small)
    }

    /// All pages, in order.
    pub(super) fn order(&self) -> &[Entry] {
        &self.order
    }

    /// The pages before and after the one in `file`.
    pub(super) fn neighbours(&self, file: &str) -> (Option<&Entry>, Option<&Entry>) {
        let Some(&at) = self.places.get(file) else {
            return (None, None);
        };
        let before = at.checked_sub(1).and_then(|before| self.order.get(before));
        (before, self.order.get(at + 1))
    }

    fn entry(&self, file: &str) -> Option<&Entry> {
        self.order.get(*self.places.get(file)?)
    }

    fn nodes(&self, folder: &Folder, path: &str, file: &str, is_small: bool) -> Vec<Node> {
        // The page of a folder further down is the folder's own entry.
        let home = folder.index.as_deref().filter(|_| path.is_empty());
        let mut nodes: Vec<Node> = home
            .and_then(|home| self.node(home, file))
            .into_iter()
            .collect();
        for child in &folder.children {
            match child {
                Child::Page(page) => nodes.extend(self.node(page, file)),
                Child::Folder(name) => {
                    let Some(below) = folder.folders.get(name) else {
                        continue;
                    };
                    let below_path = format!("{path}{name}/");
                    let children = match is_small || file.starts_with(&below_path) {
                        true => self.nodes(below, &below_path, file, is_small),
                        false => Vec::new(),
                    };
                    let own = below.index.as_deref().and_then(|own| self.entry(own));
                    // A folder that isn't unfolded leads somewhere all the same.
                    let first = || self.entry(below.first()?);
                    let leads_to = own.or_else(|| first().filter(|_| children.is_empty()));
                    nodes.push(Node {
                        title: own.map_or_else(|| spelled_out(name), |own| own.title.clone()),
                        url: leads_to.map(|entry| entry.url.clone()),
                        is_current: below.index.as_deref() == Some(file),
                        children,
                    });
                }
            }
        }
        nodes
    }

    fn node(&self, page: &str, file: &str) -> Option<Node> {
        let entry = self.entry(page)?;
        Some(Node {
            title: entry.title.clone(),
            url: Some(entry.url.clone()),
            is_current: page == file,
            children: Vec::new(),
        })
    }
}

impl Folder {
    /// Sorts its pages and folders, and those below, by rank and then by name, pages first. Returns the rank of the first.
    fn sort(&mut self, rank: &impl Fn(&str) -> usize) -> usize {
        let pages = self.pages.iter().map(|file| {
            let key = (rank(file), false, file.to_lowercase());
            (key, Child::Page(file.clone()))
        });
        let mut children: Vec<_> = pages.collect();
        for (name, folder) in &mut self.folders {
            let key = (folder.sort(rank), true, name.to_lowercase());
            children.push((key, Child::Folder(name.clone())));
        }
        children.sort_by(|(a, _), (b, _)| a.cmp(b));
        let own = self.index.as_deref().map(rank);
        let first = children.first().map(|((rank, ..), _)| *rank);
        self.children = children.into_iter().map(|(_, child)| child).collect();
        own.into_iter().chain(first).min().unwrap_or(usize::MAX)
    }

    /// Adds the files of all pages in the order of the lists.
    fn walk(&self, files: &mut Vec<String>) {
        files.extend(self.index.clone());
        for child in &self.children {
            match child {
                Child::Page(file) => files.push(file.clone()),
                Child::Folder(name) => {
                    if let Some(folder) = self.folders.get(name) {
                        folder.walk(files);
                    }
                }
            }
        }
    }

    /// The file of its first page, in any folder below.
    fn first<'f>(&'f self) -> Option<&'f str> {
        let below = |child: &'f Child| match child {
            Child::Page(file) => Some(file.as_str()),
            Child::Folder(name) => self.folders.get(name)?.first(),
        };
        let own = self.index.as_deref();
        own.or_else(|| self.children.iter().find_map(below))
    }
}

/// A folder's name as a title: `getting-started` is `Getting started`.
pub(super) fn spelled_out(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut chars = words.trim().chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> Entry {
        Entry {
            file: file.to_owned(),
            url: file.to_owned(),
            title: file.trim_end_matches(".html").to_owned(),
        }
    }

    fn navigation(files: &[&str], linked: &[&str]) -> Navigation {
        let entries = files.iter().map(|file| entry(file)).collect();
        let linked: Vec<String> = linked.iter().map(|key| (*key).to_owned()).collect();
        Navigation::new(entries, &linked)
    }

    #[test]
    fn pages_come_as_the_first_page_links_to_them_and_then_by_name() {
        let files = ["c.html", "B.html", "a.html", "index.html", "guide/x.html"];
        let found = navigation(&files, &["c", "nowhere", "guide/x"]);
        let order: Vec<&str> = found
            .order
            .iter()
            .map(|entry| entry.file.as_str())
            .collect();
        assert_eq!(
            order,
            ["index.html", "c.html", "guide/x.html", "a.html", "B.html"]
        );
        let (before, after) = found.neighbours("c.html");
        let files = [before, after].map(|entry| entry.map(|entry| entry.file.as_str()));
        assert_eq!(files, [Some("index.html"), Some("guide/x.html")]);
        assert!(found.neighbours("index.html").0.is_none(), "the first");
        assert!(found.neighbours("none.html").1.is_none(), "no page");
    }

    #[test]
    fn a_small_site_lists_all_pages() {
        let files = [
            "index.html",
            "guide/a.html",
            "guide/index.html",
            "api-docs/b.html",
        ];
        let nodes = navigation(&files, &[]).list("guide/a.html");
        let titles: Vec<&str> = nodes.iter().map(|node| node.title.as_str()).collect();
        assert_eq!(titles, ["index", "Api docs", "guide/index"]);
        assert_eq!(nodes[1].url, None, "a folder without a page");
        assert_eq!(nodes[1].children.len(), 1);
        assert!(nodes[2].children[0].is_current, "{nodes:?}");
    }

    #[test]
    fn a_large_site_unfolds_only_the_way_to_the_page() {
        let files: Vec<String> = (0..100)
            .flat_map(|n| [format!("a/{n}.html"), format!("b/c/{n}.html")])
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let nodes = navigation(&files, &[]).list("b/c/7.html");
        assert_eq!((nodes[0].children.len(), nodes[1].children.len()), (0, 1));
        assert_eq!(
            nodes[0].url.as_deref(),
            Some("a/0.html"),
            "leads to its first page"
        );
        assert_eq!(nodes[1].children[0].children.len(), 100);
    }
}
