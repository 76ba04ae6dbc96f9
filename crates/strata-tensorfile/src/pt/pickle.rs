//! A stack machine for the pickles that torch writes, with a list of what is allowed.
//!
//! Opcodes that build plain data are carried out. `GLOBAL` may name storages, the functions that rebuild a
//! tensor or parameter, and `OrderedDict`; anything else is refused by its name, and none is ever called:
//! what they would make is made here. Protocols 2 to 5, as far as torch uses them (`pickletools` of
//! Python documents the opcodes).

use super::{Description, Dtype, Problem};

/// A value of a pickle.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pickled {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes,
    Tuple(Vec<Pickled>),
    List(Vec<Pickled>),
    Dict(Vec<(Pickled, Pickled)>),
    Tensor(Box<Description>),
    Storage { key: String, dtype: Dtype },
    Global(Global),
    Mark,
}

/// What a pickle may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
    /// `torch.Size`, which is a tuple, and other containers of plain data.
    Tuple,
    Set,
}

/// More than a state dict ever nests or holds at a time.
const MOST_VALUES: usize = 4 << 20;
/// Containers within containers; a state dict has three.
const DEEPEST: usize = 32;

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Pickled>,
    memo: Vec<(u64, Pickled)>,
    /// Copies made from the memo, in values: a pickle may name one value again and again.
    copied: usize,
}

type Done<T> = Result<T, Problem>;

/// Carries out a pickle up to its `STOP`.
pub(super) fn load(bytes: &[u8]) -> Done<Pickled> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        memo: Vec::new(),
        copied: 0,
    };
    loop {
        let opcode = machine.byte()?;
        if opcode == b'.' {
            return machine.pop();
        }
        machine.step(opcode)?;
        if machine.stack.len() > MOST_VALUES {
            return Err("its pickle holds too many values".into());
        }
    }
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Done<()> {
        match opcode {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.stack.push(Pickled::Mark),
            b'N' => self.stack.push(Pickled::None),
            0x88 => self.stack.push(Pickled::Bool(true)),
            0x89 => self.stack.push(Pickled::Bool(false)),
            b'K' | b'M' | b'J' | 0x8a | b'I' | b'L' => self.integer(opcode)?,
            b'G' => {
                let bytes = self.take(8)?.try_into().unwrap_or_default();
                self.stack.push(Pickled::Float(f64::from_be_bytes(bytes)));
            }
            b'X' | 0x8c | 0x8d => self.text(opcode)?,
            b'U' | b'T' | b'C' | b'B' => self.byte_string(opcode)?,
            b')' => self.stack.push(Pickled::Tuple(Vec::new())),
            b']' => self.stack.push(Pickled::List(Vec::new())),
            b'}' => self.stack.push(Pickled::Dict(Vec::new())),
            0x8f => self.stack.push(Pickled::List(Vec::new())),
            b't' => {
                let items = self.pop_to_mark()?;
                self.stack.push(Pickled::Tuple(items));
            }
            b'l' => {
                let items = self.pop_to_mark()?;
                self.stack.push(Pickled::List(items));
            }
            0x85..=0x87 => {
                let items = self.pop_some(usize::from(opcode - 0x84))?;
                self.stack.push(Pickled::Tuple(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.stack.push(Pickled::Dict(pairs(items)?));
            }
            b'a' => {
                let items = self.pop_some(1)?;
                self.list()?.extend(items);
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.list()?.extend(items);
            }
            b's' => {
                let items = self.pop_some(2)?;
                let items = pairs(items)?;
                self.dict()?.extend(items);
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                let items = pairs(items)?;
                self.dict()?.extend(items);
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.stack.push(Pickled::Global(global(&module, &name)?));
            }
            0x93 => {
                let names = self.pop_some(2)?;
                let [Pickled::Text(module), Pickled::Text(name)] = names.as_slice() else {
                    return Err("a global of its pickle has no name".into());
                };
                let found = global(module, name)?;
                self.stack.push(Pickled::Global(found));
            }
            b'Q' => {
                let id = self.pop()?;
                self.stack.push(storage(id)?);
            }
            b'R' => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                self.stack.push(call(&function, arguments)?);
            }
            // `__setstate__` of a state dict: its `_metadata`, which nobody needs.
            b'b' => drop(self.pop()?),
            b'0' => drop(self.pop()?),
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(opcode)?,
            _ => {
                return Err(format!(
                    "its pickle has the opcode 0x{opcode:02x}, which torch's have not"
                )
                .into());
            }
        }
        Ok(())
    }

    fn integer(&mut self, opcode: u8) -> Done<()> {
        let value = match opcode {
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(
                self.take(2)?.try_into().unwrap_or_default(),
            )),
            b'J' => i64::from(i32::from_le_bytes(
                self.take(4)?.try_into().unwrap_or_default(),
            )),
            0x8a => {
                let len = usize::from(self.byte()?);
                let bytes = self.take(len)?;
                if len > 8 {
                    return Err("an integer of its pickle is too large".into());
                }
                let negative = bytes.last().is_some_and(|&byte| byte & 0x80 != 0);
                let mut wide = [if negative { 0xff } else { 0 }; 8];
                wide[..len].copy_from_slice(bytes);
                i64::from_le_bytes(wide)
            }
            _ => {
                let line = self.line()?;
                match line.trim_end_matches('L') {
                    "00" => {
                        self.stack.push(Pickled::Bool(false));
                        return Ok(());
                    }
                    "01" => {
                        self.stack.push(Pickled::Bool(true));
                        return Ok(());
                    }
                    digits => digits
                        .parse()
                        .map_err(|_| "an integer of its pickle has no digits")?,
                }
            }
        };
        self.stack.push(Pickled::Int(value));
        Ok(())
    }

    fn text(&mut self, opcode: u8) -> Done<()> {
        let len = match opcode {
            0x8c => u64::from(self.byte()?),
            b'X' => u64::from(self.u32()?),
            _ => u64::from_le_bytes(self.take(8)?.try_into().unwrap_or_default()),
        };
        let bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        let text = std::str::from_utf8(bytes).map_err(|_| "a text of its pickle is not UTF-8")?;
        let text = text.to_owned();
        self.stack.push(Pickled::Text(text));
        Ok(())
    }

    fn byte_string(&mut self, opcode: u8) -> Done<()> {
        let len = match opcode {
            b'U' | b'C' => u32::from(self.byte()?),
            _ => self.u32()?,
        };
        self.take(len as usize)?;
        self.stack.push(Pickled::Bytes);
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Done<()> {
        let index = match opcode {
            b'q' | b'h' => u64::from(self.byte()?),
            b'r' | b'j' => u64::from(self.u32()?),
            _ => self.memo.len() as u64,
        };
        if matches!(opcode, b'h' | b'j') {
            let found = self.memo.iter().rev().find(|(at, _)| *at == index);
            let value = found
                .ok_or("its pickle refers to what it has not said")?
                .1
                .clone();
            self.copied += value.size();
            if self.copied > MOST_VALUES {
                return Err("its pickle repeats itself too often".into());
            }
            self.stack.push(value);
            return Ok(());
        }
        let top = self.stack.last().ok_or("its pickle ends too early")?;
        // Only what cannot change afterwards is referred to by torch; containers are remembered empty.
        if self.memo.len() >= MOST_VALUES {
            return Err("its pickle remembers too much".into());
        }
        let remembered = match top {
            Pickled::Dict(_) => Pickled::Dict(Vec::new()),
            Pickled::List(_) => Pickled::List(Vec::new()),
            value => {
                self.copied += value.size();
                value.clone()
            }
        };
        if self.copied > MOST_VALUES {
            return Err("its pickle repeats itself too often".into());
        }
        self.memo.push((index, remembered));
        Ok(())
    }

    fn byte(&mut self) -> Done<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Done<u32> {
        Ok(u32::from_le_bytes(
            self.take(4)?.try_into().unwrap_or_default(),
        ))
    }

    fn take(&mut self, count: usize) -> Done<&[u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or("its pickle is truncated")?;
        self.at += count;
        Ok(taken)
    }

    fn line(&mut self) -> Done<String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.ok_or("its pickle is truncated")?];
        self.at += line.len() + 1;
        let line = std::str::from_utf8(line).map_err(|_| "a name of its pickle is not UTF-8")?;
        Ok(line.to_owned())
    }

    fn pop(&mut self) -> Done<Pickled> {
        self.stack
            .pop()
            .ok_or_else(|| "its pickle ends too early".into())
    }

    fn pop_some(&mut self, count: usize) -> Done<Vec<Pickled>> {
        let from = self.stack.len().checked_sub(count);
        let from = from.ok_or("its pickle ends too early")?;
        not_too_deep(self.stack.split_off(from))
    }

    fn pop_to_mark(&mut self) -> Done<Vec<Pickled>> {
        let mark = self.stack.iter().rposition(|value| *value == Pickled::Mark);
        let items = self
            .stack
            .split_off(mark.ok_or("its pickle has no mark")? + 1);
        self.stack.pop();
        not_too_deep(items)
    }

    fn list(&mut self) -> Done<&mut Vec<Pickled>> {
        match self.stack.last_mut() {
            Some(Pickled::List(items)) => Ok(items),
            _ => Err("its pickle appends to what is no list".into()),
        }
    }

    fn dict(&mut self) -> Done<&mut Vec<(Pickled, Pickled)>> {
        match self.stack.last_mut() {
            Some(Pickled::Dict(items)) => Ok(items),
            _ => Err("its pickle sets an entry of what is no dictionary".into()),
        }
    }
}

impl Pickled {
    /// Containers on the longest way down.
    fn depth(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) => {
                1 + items.iter().map(Self::depth).max().unwrap_or(0)
            }
            Self::Dict(items) => {
                let pair = |(key, value): &(Self, Self)| key.depth().max(value.depth());
                1 + items.iter().map(pair).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// How many values it is made of.
    fn size(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) => {
                1 + items.iter().map(Self::size).sum::<usize>()
            }
            Self::Dict(items) => {
                let pair = |(key, value): &(Self, Self)| key.size() + value.size();
                1 + items.iter().map(pair).sum::<usize>()
            }
            _ => 1,
        }
    }
}

/// What goes into a container: nothing so deep that following it would exhaust the stack.
fn not_too_deep(items: Vec<Pickled>) -> Done<Vec<Pickled>> {
    if items.iter().all(|item| item.depth() < DEEPEST) {
        Ok(items)
    } else {
        Err("its pickle nests containers too deep".into())
    }
}

fn pairs(items: Vec<Pickled>) -> Done<Vec<(Pickled, Pickled)>> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let Some(key) = items.next() {
        let value = items.next().ok_or("a key of its pickle has no value")?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn global(module: &str, name: &str) -> Done<Global> {
    Ok(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "FloatStorage") => Global::Storage(Dtype::Float32),
        ("torch", "DoubleStorage") => Global::Storage(Dtype::Float64),
        ("torch", "LongStorage") => Global::Storage(Dtype::Int64),
        ("torch", "IntStorage") => Global::Storage(Dtype::Int32),
        ("torch", "ByteStorage") => Global::Storage(Dtype::Uint8),
        ("torch", "Size") => Global::Tuple,
        ("builtins" | "__builtin__", "set") => Global::Set,
        _ => return Err(Problem::Global(format!("{module}.{name}"))),
    })
}

/// `("storage", type, key, device, numel)`.
fn storage(id: Pickled) -> Done<Pickled> {
    let Pickled::Tuple(parts) = id else {
        return Err("a storage of its pickle is not described by a tuple".into());
    };
    match parts.as_slice() {
        [
            Pickled::Text(kind),
            Pickled::Global(Global::Storage(dtype)),
            Pickled::Text(key),
            ..,
        ] if kind == "storage" => {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err("the name of a storage has other characters than torch's have".into());
            }
            Ok(Pickled::Storage {
                key: key.clone(),
                dtype: *dtype,
            })
        }
        _ => Err(
            "a storage of its pickle is not of bytes, or 32- or 64-bit floats or integers".into(),
        ),
    }
}

/// What the function would give, without calling it.
fn call(function: &Pickled, arguments: Pickled) -> Done<Pickled> {
    let Pickled::Tuple(arguments) = arguments else {
        return Err("a call of its pickle has no arguments".into());
    };
    let Pickled::Global(function) = function else {
        return Err("its pickle calls what is no function".into());
    };
    let mut arguments = arguments.into_iter();
    match function {
        Global::OrderedDict => Ok(match arguments.next() {
            None => Pickled::Dict(Vec::new()),
            Some(Pickled::List(items)) => {
                let pair = |item| match item {
                    Pickled::Tuple(pair) | Pickled::List(pair) => pairs(pair),
                    _ => Err("an entry of an OrderedDict is no pair".into()),
                };
                let nested: Vec<_> = items.into_iter().map(pair).collect::<Done<_>>()?;
                Pickled::Dict(nested.into_iter().flatten().collect())
            }
            Some(_) => return Err("an OrderedDict of its pickle is not made of pairs".into()),
        }),
        Global::RebuildTensor => {
            let parts: Vec<Pickled> = arguments.take(4).collect();
            let [
                Pickled::Storage { key, dtype },
                Pickled::Int(offset),
                Pickled::Tuple(shape),
                Pickled::Tuple(stride),
            ] = parts.as_slice()
            else {
                return Err("a tensor of its pickle is not described as torch does".into());
            };
            let (shape, stride) = (sizes(shape)?, sizes(stride)?);
            if shape.len() != stride.len() {
                return Err("shape and stride of a tensor differ in length".into());
            }
            Ok(Pickled::Tensor(Box::new(Description {
                storage: key.clone(),
                dtype: *dtype,
                offset: size(*offset)?,
                shape,
                stride,
            })))
        }
        Global::RebuildParameter => match arguments.next() {
            Some(tensor @ Pickled::Tensor(_)) => Ok(tensor),
            _ => Err("a parameter of its pickle is no tensor".into()),
        },
        Global::Tuple => match arguments.next() {
            Some(tuple @ Pickled::Tuple(_)) => Ok(tuple),
            _ => Err("a size of its pickle is no tuple".into()),
        },
        Global::Set => Ok(Pickled::List(Vec::new())),
        Global::Storage(_) => Err("its pickle makes a storage by itself".into()),
    }
}

fn sizes(items: &[Pickled]) -> Done<Vec<usize>> {
    let number = |item: &Pickled| match item {
        Pickled::Int(value) => size(*value),
        _ => Err("a size of its pickle is no integer".into()),
    };
    items.iter().map(number).collect()
}

fn size(value: i64) -> Done<usize> {
    usize::try_from(value).map_err(|_| "a size of its pickle is negative".into())
}
