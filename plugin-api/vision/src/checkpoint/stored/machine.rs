//! The stack machine that pickles are programs for, of which only what builds dictionaries of tensors is known.
//!
//! Source: the comments of Python's `pickletools.py`; what PyTorch writes: its `serialization.py` and `_utils.py`.

use super::tensors::{Element, TensorInfo};
use modelzoo_plugin_api::{Context, Error, Result};
use std::collections::{BTreeMap, HashMap};

/// Where an object is among all that the program made.
type Id = usize;

/// What a program makes.
#[derive(Clone, Debug)]
enum Object {
    /// `None`, and things that nobody looks at.
    Nothing,
    Int(i64),
    /// An integer of more than 8 bytes, little-endian.
    Long(Vec<u8>),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dictionary(Vec<(Id, Id)>),
    Function(Function),
    Storage(Storage),
    Tensor(TensorInfo),
}

#[derive(Clone, Debug)]
struct Storage {
    key: String,
    element: Element,
}

/// The functions and classes that a program may name.
#[derive(Clone, Copy, Debug)]
enum Function {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    StorageType(Element),
    /// A type of numbers: named as a value, never called.
    ElementType,
}

impl Function {
    fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "Size") => Self::Size,
            ("torch", "float16" | "bfloat16" | "float32" | "float64" | "int64") => Self::ElementType,
            ("torch", name) => Self::StorageType(Element::of_storage(name)?),
            _ => return None,
        })
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(super) struct Outcome {
    objects: Vec<Object>,
    result: Id,
}

/// Runs the program at the beginning of `bytes`, and takes it from them.
///
/// # Errors
/// When it ends too early, or does anything that tensors do not need: it is named.
pub(super) fn run(bytes: &mut &[u8]) -> Result<Outcome> {
    let mut machine = Machine {
        bytes,
        ..Machine::default()
    };
    let result = loop {
        if let Some(result) = machine.step()? {
            break result;
        }
    };
    *bytes = machine.bytes;
    Ok(Outcome {
        objects: machine.objects,
        result,
    })
}

impl Outcome {
    /// The bytes of a long integer.
    pub(super) fn long(&self) -> Option<&[u8]> {
        match &self.objects[self.result] {
            Object::Long(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A list of texts.
    pub(super) fn into_texts(self) -> Result<Vec<String>> {
        let Object::List(items) = &self.objects[self.result] else {
            return Err(Error::new("a list of texts is expected"));
        };
        let text = |&item: &Id| match &self.objects[item] {
            Object::Text(text) => Ok(text.clone()),
            _ => Err(Error::new("a list of texts is expected")),
        };
        items.iter().map(text).collect()
    }

    /// The bytes of an element of each storage that the program names, by the storage's key.
    pub(super) fn storage_elements(&self) -> HashMap<String, u64> {
        self.objects
            .iter()
            .filter_map(|object| match object {
                Object::Storage(storage) => Some((storage.key.clone(), storage.element.bytes())),
                _ => None,
            })
            .collect()
    }

    /// The tensors by name: the dictionary itself, or the one under `state_dict` or `model`, where training programs
    /// put it beside other things.
    pub(super) fn into_tensors(self) -> Result<BTreeMap<String, TensorInfo>> {
        let mut entries = self.dictionary(self.result)?;
        for key in ["state_dict", "model"] {
            let inner = entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|&(_, value)| value);
            if let Some(Ok(inner)) = inner.map(|inner| self.dictionary(inner)) {
                entries = inner;
            }
        }
        let mut tensors = BTreeMap::new();
        for (name, value) in entries {
            if let Object::Tensor(tensor) = &self.objects[value]
                && tensors.insert(name.clone(), tensor.clone()).is_some()
            {
                return Err(Error::new(format!("tensor `{name}` is in it twice")));
            }
        }
        if tensors.is_empty() {
            return Err(Error::new("there is no dictionary of tensors in it"));
        }
        Ok(tensors)
    }

    /// The entries of a dictionary whose keys are texts.
    fn dictionary(&self, id: Id) -> Result<Vec<(String, Id)>> {
        let Object::Dictionary(entries) = &self.objects[id] else {
            return Err(Error::new("there is no dictionary of tensors in it"));
        };
        Ok(entries
            .iter()
            .filter_map(|&(key, value)| match &self.objects[key] {
                Object::Text(name) => Some((name.clone(), value)),
                _ => None,
            })
            .collect())
    }
}

#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// The heights of the stack where marks were set.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    /// One instruction; the result when the program ends.
    fn step(&mut self) -> Result<Option<Id>> {
        let [code] = self.take()?;
        match code {
            // PROTO, FRAME
            0x80 => drop(self.take::<1>()?),
            0x95 => drop(self.take::<8>()?),
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            // NONE, NEWTRUE, NEWFALSE
            b'N' | 0x88 | 0x89 => self.push(Object::Nothing),
            b'K' => {
                let [number] = self.take()?;
                self.push(Object::Int(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.take()?);
                self.push(Object::Int(number.into()));
            }
            b'J' => {
                let number = i32::from_le_bytes(self.take()?);
                self.push(Object::Int(number.into()));
            }
            0x8a => self.long()?,
            // BINFLOAT: nothing of a tensor is one.
            b'G' => {
                self.take::<8>()?;
                self.push(Object::Nothing);
            }
            b'X' => {
                let length = u32::from_le_bytes(self.take()?);
                self.text(length as usize)?;
            }
            0x8c => {
                let [length] = self.take()?;
                self.text(length.into())?;
            }
            b'q' => {
                let [place] = self.take()?;
                self.remember(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.take()?);
                self.remember(place.into())?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'h' => {
                let [place] = self.take()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.take()?);
                self.recall(place.into())?;
            }
            b')' => self.push(Object::Tuple(Vec::new())),
            b']' => self.push(Object::List(Vec::new())),
            b'}' => self.push(Object::Dictionary(Vec::new())),
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Object::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(vec![key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set(items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.function(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (module, name) = (self.text_at(module)?.to_owned(), self.text_at(name)?.to_owned());
                self.function(&module, &name)?;
            }
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            // BUILD: the attributes of a dictionary, which tensors do not need.
            b'b' => drop(self.pop()?),
            other => {
                return Err(Error::new(format!(
                    "it has the instruction {other:#04x}, which no dictionary of tensors needs"
                )));
            }
        }
        Ok(None)
    }

    fn take<const SIZE: usize>(&mut self) -> Result<[u8; SIZE]> {
        let (taken, rest) = self.bytes.split_first_chunk().context("it ends too early")?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn take_slice(&mut self, length: usize) -> Result<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).context("it ends too early")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Result<String> {
        let length = self
            .bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .context("it ends too early")?;
        let line = String::from_utf8_lossy(&self.bytes[..length]).into_owned();
        self.bytes = &self.bytes[length + 1..];
        Ok(line)
    }

    fn push(&mut self, object: Object) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    fn pop(&mut self) -> Result<Id> {
        let lowest = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= lowest {
            return Err(unfit());
        }
        self.stack.pop().ok_or_else(unfit)
    }

    fn top(&mut self) -> Result<&mut Object> {
        let &top = self.stack.last().ok_or_else(unfit)?;
        Ok(&mut self.objects[top])
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(unfit)?;
        if mark > self.stack.len() {
            return Err(unfit());
        }
        Ok(self.stack.split_off(mark))
    }

    fn long(&mut self) -> Result<()> {
        let [length] = self.take()?;
        let bytes = self.take_slice(length.into())?;
        let object = match *bytes {
            [] => Object::Int(0),
            [.., last] if bytes.len() <= 8 => {
                // The sign fills the bytes above.
                let mut number = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
                number[..bytes.len()].copy_from_slice(bytes);
                Object::Int(i64::from_le_bytes(number))
            }
            _ => Object::Long(bytes.to_vec()),
        };
        self.push(object);
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<()> {
        let text = std::str::from_utf8(self.take_slice(length)?).context("a text in it is no UTF-8")?;
        let object = Object::Text(text.to_owned());
        self.push(object);
        Ok(())
    }

    fn text_at(&self, id: Id) -> Result<&str> {
        match &self.objects[id] {
            Object::Text(text) => Ok(text),
            _ => Err(unfit()),
        }
    }

    fn remember(&mut self, place: u64) -> Result<()> {
        let &top = self.stack.last().ok_or_else(unfit)?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<()> {
        let &id = self.memo.get(&place).ok_or_else(unfit)?;
        self.stack.push(id);
        Ok(())
    }

    fn tuple(&mut self, length: usize) -> Result<()> {
        let start = self.stack.len().checked_sub(length).ok_or_else(unfit)?;
        let items = self.stack.split_off(start);
        self.push(Object::Tuple(items));
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<()> {
        match self.top()? {
            Object::List(list) => list.extend(items),
            _ => return Err(unfit()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Id>) -> Result<()> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Object::Dictionary(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    fn function(&mut self, module: &str, name: &str) -> Result<()> {
        let function = Function::find(module, name).with_context(|| {
            format!(
                "it names {:?}, which no tensor needs, and no code of it is run",
                format!("{module}.{name}")
            )
        })?;
        self.push(Object::Function(function));
        Ok(())
    }

    /// What PyTorch writes for a storage: `("storage", type, key, device, elements, ...)`.
    fn storage(&mut self) -> Result<()> {
        let id = self.pop()?;
        let Object::Tuple(parts) = &self.objects[id] else {
            return Err(unfit());
        };
        let &[_, kind, key, ..] = parts.as_slice() else {
            return Err(unfit());
        };
        let Object::Function(Function::StorageType(element)) = self.objects[kind] else {
            return Err(unfit());
        };
        let storage = Storage {
            key: self.text_at(key)?.to_owned(),
            element,
        };
        self.push(Object::Storage(storage));
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Object::Tuple(arguments) = &self.objects[arguments] else {
            return Err(unfit());
        };
        let Object::Function(function) = self.objects[function] else {
            return Err(unfit());
        };
        let result = match (function, arguments.as_slice()) {
            (Function::OrderedDict, []) => Object::Dictionary(Vec::new()),
            (Function::Size, [dims]) => self.objects[*dims].clone(),
            (Function::RebuildParameter, [data, ..]) => self.objects[*data].clone(),
            (Function::RebuildTensor, &[storage, offset, dims, strides, ..]) => {
                let Object::Storage(storage) = &self.objects[storage] else {
                    return Err(unfit());
                };
                Object::Tensor(TensorInfo {
                    storage: storage.key.clone(),
                    element: storage.element,
                    offset: self.whole(offset)?,
                    dims: self.wholes(dims)?,
                    strides: self.wholes(strides)?,
                })
            }
            _ => return Err(unfit()),
        };
        self.push(result);
        Ok(())
    }

    fn whole(&self, id: Id) -> Result<usize> {
        match self.objects[id] {
            Object::Int(number) => usize::try_from(number).map_err(|_| unfit()),
            _ => Err(unfit()),
        }
    }

    fn wholes(&self, id: Id) -> Result<Vec<usize>> {
        match &self.objects[id] {
            Object::Tuple(items) => items.iter().map(|&item| self.whole(item)).collect(),
            _ => Err(unfit()),
        }
    }
}

fn unfit() -> Error {
    Error::new("its instructions do not fit together")
}
