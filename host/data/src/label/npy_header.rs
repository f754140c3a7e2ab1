//! The header of an NPY file: a Python dictionary with three keys
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use winnow::{
    ModalResult,
    ascii::{dec_uint, multispace0},
    combinator::{alt, delimited, opt, separated, separated_pair, terminated},
    error::ParserError,
    prelude::*,
    token::take_till,
};

/// What the header says of the data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// Byte order, kind and size of an element: `<f4`.
    pub descr: &'a str,
    /// Whether the first index runs fastest.
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

/// A value of the dictionary.
#[derive(Clone, Debug)]
enum Literal<'a> {
    Text(&'a str),
    Truth(bool),
    Tuple(Vec<usize>),
}

impl<'a> Header<'a> {
    /// `None` when the text is no dictionary with these keys and no others.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        for (key, value) in dictionary.parse(text).ok()? {
            match (key, value) {
                ("descr", Literal::Text(text)) => descr = Some(text),
                ("fortran_order", Literal::Truth(truth)) => fortran_order = Some(truth),
                ("shape", Literal::Tuple(lengths)) => shape = Some(lengths),
                _ => return None,
            }
        }
        Some(Self {
            descr: descr?,
            fortran_order: fortran_order?,
            shape: shape?,
        })
    }
}

fn dictionary<'a>(input: &mut &'a str) -> ModalResult<Vec<(&'a str, Literal<'a>)>> {
    let entry = separated_pair(spaced(quoted), ':', spaced(literal));
    let entries = terminated(separated(0.., entry, ','), opt(spaced(',')));
    spaced(delimited('{', entries, spaced('}'))).parse_next(input)
}

fn literal<'a>(input: &mut &'a str) -> ModalResult<Literal<'a>> {
    alt((
        quoted.map(Literal::Text),
        "True".value(Literal::Truth(true)),
        "False".value(Literal::Truth(false)),
        tuple.map(Literal::Tuple),
    ))
    .parse_next(input)
}

fn tuple(input: &mut &str) -> ModalResult<Vec<usize>> {
    // Python 2 wrote long numbers with an L.
    let length = terminated(dec_uint::<_, usize, _>, opt('L'));
    let lengths = terminated(separated(0.., spaced(length), ','), opt(spaced(',')));
    delimited('(', lengths, spaced(')')).parse_next(input)
}

fn quoted<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    let within = |mark: char| delimited(mark, take_till(0.., move |c| c == mark || c == '\\'), mark);
    alt((within('\''), within('"'))).parse_next(input)
}

fn spaced<'a, T, E: ParserError<&'a str>>(parser: impl Parser<&'a str, T, E>) -> impl Parser<&'a str, T, E> {
    delimited(multispace0, parser, multispace0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(descr: &str, fortran_order: bool, shape: impl Into<Vec<usize>>) -> Option<Header<'_>> {
        Some(Header {
            descr,
            fortran_order,
            shape: shape.into(),
        })
    }

    #[test]
    fn headers_are_read_however_they_are_spaced() {
        for (text, expected) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }   \n",
                header("<f4", false, [3, 2]),
            ),
            (
                "{'shape':(3L,),'fortran_order':True,'descr':\"|u1\"}",
                header("|u1", true, [3]),
            ),
            (
                "{ 'descr' : '<i8' , 'fortran_order' : False , 'shape' : ( ) }",
                header("<i8", false, []),
            ),
        ] {
            assert_eq!(Header::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_header_is_none() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 'x'}",
            "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "x'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
        ] {
            assert_eq!(Header::parse(text), None, "{text}");
        }
    }
}
