//! Checks where sentences end, with hand-worked examples from many languages and from documentation.

use super::split;

/// One text per line; `|` marks where a sentence ends.
const CASES: &str = "\
Cargo is the package manager. |It downloads your dependencies! |Does it build them too? |Yes.
The viewer opens pictures, e.g. PNG, TIFF and J. P. Smith's RAW files. |Version 2.0. |Beta opens films, i.e. MP4.
It is made by Acme Inc. Portland and costs approx. 30 dollars in the U.S. Army shop.
Press Fig. 3 to start (see Sec. 4.2). |Call St. John or Prof. Lee vs. Mrs. Kay.
It is made by Acme Inc. |The shop opens at 9 a.m. |It closes at 5 p.m. on Friday.
The shop opens at 9 a.m. Monday to Friday.
Bring pens, paper, etc. |Wash your hands first.
Bring pens, paper, etc. to the office.
It was written by Dr. A. B. Mueller, Ph.D. |He lives in Bonn.
J. A. Mill and A. I. Lee met at 6 p.m. |Mr. Smith came at 7 a.m. Monday.
It is a gas. [1] |It is light. [2][3] |Really ? ? ? |Yes . . . |No.
John F. Kennedy spoke. |So did I. |Nobody else did.
Choose option B. |Press the button.
Take vitamin C. |Wait an hour.
The answer is no. |Ask again.
See No. 5 Wing and vol. 3 Chapter 2.
Install v1.2 Beta from config.toml. |Then run Node.js on .NET. |It needs version 1.10.3.
Open the .NET folder and the .toml file. |Then close both.
The port is 80. |The value 3.5 is kept. |In 2019. |Then 2020.
Use port 8080. |3 retries are made.
Run cargo. |`npm` is not needed.
The call ends. |set_size() follows.
The cost is approx. thirty dollars.
Open http://example.org/a?b=c.d and look. |See https://example.org. |It helps.
He said: \"Stop.\" |Then he left.
He left (at last.) |Then it rained.
\"Really?\" he asked. |\"Yes!\" she said.
\u{201c}Go.\u{201d} |\u{201c}Stay.\u{201d}
Wait... what is this? |Well... |Now it works.
Wait\u{2026} what? |Wait\u{2026} |Now it works.
The list goes on [...] Nothing was left out.
Is it? |Yes.
What?! |No way.
It is proven.[1] |Others doubt it.[2][3] |The end.
It is proven.\u{b9} |Others doubt it.
1. Intro to cargo
IV. The end of it. |Fin.
a. Open the lid. |Close it.
Steps: 1. Open the lid. |2. Close it.
Smith et al. BERT is large. |Lee et al. |We follow them.
He was born on Jan. 5 in Bonn. |He left in Jan. |Snow fell.
The flag is true. |Usage follows.
This takes 5 ms. |Then it ends.
He lives in CA. |She does not.
An end.Next is glued.
Das gilt z. B. f\u{fc}r Autos, d. h. f\u{fc}r z.B. Busse bzw. Bahnen. |Danach ist Nr. 5 dran.
Am 3. Mai 2020 begann der 2. Weltkrieg nicht. |Das ist Art. 5 Abs. 2 GG.
Er nahm Stifte, Papier usw. |Dann ging er.
\u{201e}Komm.\u{201c} |Er ging. |\u{bb}Bleib\u{ab}, sagte sie. |\u{bb}Nein.\u{ab} |Dann ging er.
M. Dupont et Mme. Curie arrivent, p. ex. \u{e0} Paris. |Ils repartent.
\u{ab} Bonjour. \u{bb} |Il sort. |Vraiment ? |Oui.
El Sr. Garc\u{ed}a y Ud. hablan. |\u{bf}Qu\u{e9} pasa? |\u{a1}Nada! |Fin.
\u{6c34}\u{6cf5}\u{505c}\u{4e86}\u{3002}|\u{4e3a}\u{4ec0}\u{4e48}\u{ff1f}|\u{6ca1}\u{6709}\u{7535}\u{ff01}
\u{300c}\u{884c}\u{304f}\u{ff1f}\u{300d}\u{3068}\u{8a00}\u{3063}\u{305f}\u{3002}|\u{5f7c}\u{306f}\u{53bb}\u{3063}\u{305f}\u{3002}
\u{92a}\u{902}\u{92a} \u{92c}\u{902}\u{926} \u{939}\u{948}\u{964} |\u{915}\u{94d}\u{92f}\u{94b}\u{902}?
\u{645}\u{627} \u{647}\u{630}\u{627}\u{61f} |\u{647}\u{630}\u{627} \u{643}\u{62a}\u{627}\u{628}. |\u{634}\u{643}\u{631}\u{627}.
\u{3a4}\u{3b9} \u{3b5}\u{3af}\u{3bd}\u{3b1}\u{3b9}; |\u{395}\u{3af}\u{3bd}\u{3b1}\u{3b9} \u{3b1}\u{3bd}\u{3c4}\u{3bb}\u{3af}\u{3b1}.
\u{421}\u{43c}. \u{440}\u{438}\u{441}. 3 \u{438} \u{442}.\u{435}. \u{430}\u{43d}\u{430}\u{43b}\u{438}\u{437} \u{410}. \u{421}. \u{41f}\u{443}\u{448}\u{43a}\u{438}\u{43d}\u{430}. |\u{41e}\u{43d} \u{437}\u{434}\u{435}\u{441}\u{44c}.
\u{532}\u{561}\u{580}\u{587} \u{541}\u{565}\u{566}: |\u{535}\u{57d} \u{561}\u{575}\u{57d}\u{57f}\u{565}\u{572} \u{565}\u{574}\u{589}
\u{e1b}\u{e31}\u{e4a}\u{e21}\u{e2b}\u{e22}\u{e38}\u{e14} \u{e40}\u{e1b}\u{e34}\u{e14}\u{e43}\u{e2b}\u{e21}\u{e48}
Great \u{1f600}. |Thanks! |\u{1f389} More follows.
A line that says a; b; c and d: e.";

#[test]
fn sentences_end_where_they_end() {
    let mut wrong = Vec::new();
    for case in CASES.lines() {
        let found = split(&case.replace('|', "")).join("|");
        if found != case {
            wrong.push(format!("expected {case}\n   found {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn sentences_together_are_the_text() {
    for piece in [
        "",
        " ",
        "\n",
        "a. B",
        ". ",
        ") ",
        "?!",
        "J. P. ",
        "\u{3002}",
        "\u{300d}",
        "[1] ",
        "\u{1f469}\u{200d}\u{1f4bb}. ",
        "z. B. ",
        "\u{2026} ",
    ] {
        for filling in ["Word ", "\u{5d0} ", "\u{bb} ", ". "] {
            let text = format!("{piece}{filling}{piece}\n{filling}{piece}").repeat(3);
            assert_eq!(split(&text).concat(), text, "{text:?}");
        }
    }
}

#[test]
fn long_lines_take_no_time_with_their_square() {
    // In quadratic time, these lengths would take hours.
    for piece in [
        "word ",
        ". ",
        ") ",
        "J. P. ",
        "? ",
        "[1]",
        "....",
        "\u{1f600}. ",
        "e.g. The ",
        "1. ",
        "\"'",
        "\u{3002}",
        "( ",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        assert_eq!(split(&text).concat().len(), text.len(), "{piece:?}");
    }
}
