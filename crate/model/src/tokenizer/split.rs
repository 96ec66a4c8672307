//! Turns the name of a pre-tokenizer into the patterns that cut a text into words before byte-pair merging.
//!
//! Names are those of `tokenizer.ggml.pre`; patterns are from the `tokenizer.json` of the models they name. Each
//! pattern splits every piece left by the patterns before it; matches and gaps are both kept.

use super::pattern::Pattern;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Cased letters of an older Unicode. Escaped, because copying the text may normalise three of them away.
const DEEPSEEK_LETTERS: &str = r"\s?[A-Za-z\u{B5}\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{1BA}\u{1BC}-\u{1BF}\u{1C4}-\u{293}\u{295}-\u{2AF}\u{370}-\u{373}\u{376}\u{377}\u{37B}-\u{37D}\u{37F}\u{386}\u{388}-\u{38A}\u{38C}\u{38E}-\u{3A1}\u{3A3}-\u{3F5}\u{3F7}-\u{481}\u{48A}-\u{52F}\u{531}-\u{556}\u{10A0}-\u{10C5}\u{13A0}-\u{13F5}\u{13F8}-\u{13FD}\u{1C90}-\u{1CBA}\u{1CBD}-\u{1CBF}\u{1D00}-\u{1D2B}\u{1D6B}-\u{1D77}\u{1D79}-\u{1D9A}\u{1E00}-\u{1F15}\u{1F18}-\u{1F1D}\u{1F20}-\u{1F45}\u{1F48}-\u{1F4D}\u{1F50}-\u{1F57}\u{1F59}\u{1F5B}\u{1F5D}\u{1F5F}-\u{1F7D}\u{1F80}-\u{1FB4}\u{1FB6}-\u{1FBC}\u{1FBE}\u{1FC2}-\u{1FC4}\u{1FC6}-\u{1FCC}\u{1FD0}-\u{1FD3}\u{1FD6}-\u{1FDB}\u{1FE0}-\u{1FEC}\u{1FF2}-\u{1FF4}\u{1FF6}-\u{1FFC}\u{2102}\u{2107}\u{210A}-\u{2113}\u{2115}\u{2119}-\u{211D}\u{2124}\u{2126}\u{2128}\u{212A}-\u{212D}\u{212F}-\u{2134}\u{2139}\u{213C}-\u{213F}\u{2145}-\u{2149}\u{214E}\u{2183}\u{2184}\u{2C00}-\u{2C7B}\u{2C7E}-\u{2CE4}\u{2CEB}-\u{2CEE}\u{2CF2}\u{2CF3}\u{A640}-\u{A66D}\u{A680}-\u{A69B}\u{A722}-\u{A76F}\u{A771}-\u{A787}\u{A78B}-\u{A78E}\u{AB70}-\u{ABBF}\u{FB00}-\u{FB06}\u{FB13}-\u{FB17}\u{FF21}-\u{FF3A}\u{FF41}-\u{FF5A}\u{10400}-\u{1044F}\u{104B0}-\u{104D3}\u{104D8}-\u{104FB}\u{10C80}-\u{10CB2}\u{10CC0}-\u{10CF2}\u{118A0}-\u{118DF}\u{1E900}-\u{1E943}]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|`]+";
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";

/// The patterns and settings of a pre-tokenizer.
pub(super) struct Rule {
    /// The names, separated by spaces.
    names: &'static str,
    patterns: &'static [&'static str],
    /// True if a word that is a token itself skips merging.
    ignore_merges: bool,
    /// True if the model's BOS token is added by default.
    add_bos: bool,
}

const fn rule(names: &'static str, patterns: &'static [&'static str]) -> Rule {
    Rule {
        names,
        patterns,
        ignore_merges: false,
        add_bos: false,
    }
}

/// Leaves out families that no supported architecture uses and whose patterns need more than [`Pattern`] supports.
static RULES: &[Rule] = &[
    rule(
        "default",
        &[PUNCTUATION, GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"],
    ),
    rule(
        "gpt-2 phi-2 mpt olmo jais trillion granite-docling exaone4 gigachat mellum modern-bert roberta-bpe \
         jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code a.x-4.0",
        &[GPT2],
    ),
    rule(
        "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
        &[r"\p{N}", GPT2],
    ),
    Rule {
        names: "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2",
        patterns: &[LLAMA3],
        ignore_merges: true,
        add_bos: true,
    },
    rule("dbrx smaug-bpe glm4 chatglm-bpe", &[LLAMA3]),
    rule(
        "qwen2 deepseek-r1-qwen stablelm2 hunyuan solar-open megrez kormo grok-2",
        &[QWEN2],
    ),
    rule("qwen35", &[QWEN35]),
    Rule {
        names: "tekken",
        patterns: &[TEKKEN],
        ignore_merges: true,
        add_bos: true,
    },
    rule("gpt-4o llama4 kanana2 minimax-m2", &[GPT4O]),
    rule(
        "deepseek-llm",
        &[
            r"[\r\n]",
            DEEPSEEK_LETTERS,
            r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
            r"\s+$",
            r"[一-龥ࠀ-一가-퟿]+",
            r"\p{N}",
        ],
    ),
    rule(
        "deepseek-coder",
        &[
            r"[\r\n]",
            r"\s?\p{L}+",
            r"\s?\p{P}+",
            r"[一-龥ࠀ-一가-퟿]+",
            r"\p{N}",
        ],
    ),
    rule(
        "deepseek-v3 hunyuan-dense joyai-llm",
        &[r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3],
    ),
    rule("falcon", &[PUNCTUATION, GPT2, r"[0-9][0-9][0-9]"]),
    rule("bloom poro-chat gpt3-finnish", &[BLOOM]),
    rule("viking", &[BLOOM, r"\p{N}"]),
];

/// Cuts a text into words.
#[derive(Debug)]
pub(super) struct Splitter {
    patterns: Vec<Pattern>,
    pub(super) ignore_merges: bool,
    pub(super) add_bos: bool,
}

impl Splitter {
    /// The pre-tokenizer of this name, if it is known.
    pub(super) fn named(name: &str) -> Option<Splitter> {
        let rule = RULES
            .iter()
            .find(|rule| rule.names.split(' ').any(|known| known == name))?;
        Some(Splitter {
            patterns: rule
                .patterns
                .iter()
                .map(|source| Pattern::new(source))
                .collect(),
            ignore_merges: rule.ignore_merges,
            add_bos: rule.add_bos,
        })
    }

    /// The words of `text`, in order; joined they are `text` again.
    pub(super) fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut words = vec![text];
        for pattern in &self.patterns {
            let mut finer = Vec::with_capacity(words.len());
            for word in words {
                pattern.split(word, &mut finer);
            }
            words = finer;
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let splitter = Splitter::named(name).unwrap();
        assert_eq!(splitter.split(text), expected, "`{name}` on {text:?}");
    }

    #[test]
    fn cuts_words_as_the_models_were_trained() {
        check(
            "gpt-2",
            "I'll be  back\n in 2029!",
            &["I", "'ll", " be", " ", " back", "\n", " in", " 2029", "!"],
        );
        check(
            "llama-bpe",
            "WE'RE 12345.\r\n\n  x",
            &["WE", "'RE", " ", "123", "45", ".\r\n\n", " ", " x"],
        );
        check("qwen2", "a1234 b\n", &["a", "1", "2", "3", "4", " b", "\n"]);
        check("smollm", " 42", &[" ", "4", "2"]);
        check("falcon", "x==12345", &["x", "==", "123", "45"]);
        check(
            "tekken",
            "helloWorld XMLHttp",
            &["hello", "World", " XMLHttp"],
        );
        check("gpt-2", "", &[]);
    }

    #[test]
    fn every_pattern_agrees_with_a_regex_engine() {
        let texts = sample_texts();
        for source in RULES.iter().flat_map(|rule| rule.patterns) {
            let regex = fancy_regex::Regex::new(source).unwrap();
            let pattern = Pattern::new(source);
            for text in &texts {
                let mut found = Vec::new();
                pattern.split(text, &mut found);
                assert_eq!(found, split_by(&regex, text), "`{source}` on {text:?}");
            }
        }
    }

    fn split_by<'t>(regex: &fancy_regex::Regex, text: &'t str) -> Vec<&'t str> {
        let (mut pieces, mut gap) = (Vec::new(), 0);
        for found in regex.find_iter(text) {
            let found = found.unwrap();
            if gap < found.start() {
                pieces.push(&text[gap..found.start()]);
            }
            pieces.push(found.as_str());
            gap = found.end();
        }
        if gap < text.len() {
            pieces.push(&text[gap..]);
        }
        pieces
    }

    /// 2,000 texts of up to 24 fragments that cover every class the patterns distinguish.
    fn sample_texts() -> Vec<String> {
        const FRAGMENTS: [&str; 48] = [
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "\u{a0}",
            "\u{3000}",
            "a",
            "Z",
            "word",
            "WORD",
            "Word",
            "'s",
            "'LL",
            "'ſ",
            "'",
            "ß",
            "é",
            "e\u{301}",
            "Ǆ",
            "ǅ",
            "ʰ",
            "ª",
            "я",
            "Ж",
            "か",
            "カ",
            "漢字",
            "한글",
            "हिन्दी",
            "កា",
            "𐐀",
            "0",
            "12",
            "12345",
            "²",
            "Ⅷ",
            "٣",
            "!",
            "?!",
            "...",
            "==",
            "$",
            "+`^~|",
            "…。，",
            "🦙",
            "\u{200b}",
            "\u{fe0f}",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % n
        };
        (0..2000)
            .map(|_| {
                (0..next(24))
                    .map(|_| FRAGMENTS[next(FRAGMENTS.len())])
                    .collect()
            })
            .collect()
    }
}
