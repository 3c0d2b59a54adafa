// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A Rust program whose global allocator forwards to the five symbols of a Swift library.

use std::alloc::{GlobalAlloc, Layout};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;

extern "C" {
    fn __rust_allocate(size: usize, align: usize) -> *mut u8;
    fn __rust_deallocate(pointer: *mut u8, old_size: usize, align: usize);
    fn __rust_reallocate(pointer: *mut u8, old_size: usize, size: usize, align: usize) -> *mut u8;
    fn __swift_allocator_name() -> *const std::ffi::c_char;
}

struct SwiftAllocator;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for SwiftAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        __rust_allocate(layout.size(), layout.align())
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        __rust_deallocate(pointer, layout.size(), layout.align())
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        __rust_reallocate(pointer, layout.size(), size, layout.align())
    }
}

#[global_allocator]
static GLOBAL: SwiftAllocator = SwiftAllocator;

#[repr(align(4096))]
struct Page([u8; 4096]);

/// Number of primes below `limit`, counted with a growing vector.
fn primes(limit: usize) -> usize {
    let mut found: Vec<usize> = Vec::new();
    for candidate in 2..limit {
        if found.iter().take_while(|p| *p * *p <= candidate).all(|p| candidate % p != 0) {
            found.push(candidate);
        }
    }
    found.len()
}

fn main() {
    let (sender, receiver) = mpsc::channel::<(usize, HashMap<String, Vec<u64>>)>();
    let shared = Arc::new((0..1000).map(|i| format!("word-{i}")).collect::<Vec<String>>());
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (sender, shared) = (sender.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                let mut index: HashMap<String, Vec<u64>> = HashMap::new();
                for round in 0..20u64 {
                    for word in shared.iter() {
                        index.entry(word.clone()).or_default().push(round);
                    }
                }
                let pages: Vec<Box<Page>> = (0..16).map(|i| Box::new(Page([i; 4096]))).collect();
                assert!(pages.iter().all(|page| (&page.0 as *const u8 as usize) % 4096 == 0));
                assert!(pages.iter().enumerate().all(|(i, page)| page.0[4095] == i as u8));
                // The blocks are released by the receiving thread.
                sender.send((number, index)).unwrap();
            })
        })
        .collect();
    drop(sender);

    let mut total = 0;
    let mut tree = BTreeMap::new();
    for (number, index) in receiver {
        total += index.values().map(|rounds| rounds.iter().sum::<u64>()).sum::<u64>();
        tree.insert(number, index);
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(tree.len(), 4);
    assert_eq!(tree.values().map(|index| index.len()).sum::<usize>(), 4000);

    let mut queue: VecDeque<String> = VecDeque::new();
    for i in 0..10_000 {
        queue.push_back(i.to_string());
        if i % 3 == 0 {
            queue.pop_front();
        }
    }
    let digits: usize = queue.iter().map(String::len).sum();

    let name = unsafe { std::ffi::CStr::from_ptr(__swift_allocator_name()) };
    assert!(ALLOCATIONS.load(Ordering::Relaxed) > 10_000);
    println!("{} {} {} {}", name.to_str().unwrap(), total, primes(50_000), digits);
}
