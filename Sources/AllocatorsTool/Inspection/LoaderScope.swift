// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// The files of a program in the order in which the dynamic loader looks for a symbol: the first that defines `malloc` is
/// where everybody's calls go (ld.so(8); System V gABI, "Shared Object Dependencies").
struct LoaderScope: Sendable {
  /// The program first.
  var objects: [LoadedObject]

  /// What else is mapped, but not in that order, because the program opened it later.
  var openedLater: [LoadedObject] = []

  /// What the program at `path` would be made of. The loader is asked; the program does not run.
  ///
  /// - Parameter environment: in which it would be started.
  /// - Throws: ``ToolFailure`` if a library is missing.
  init(
    ofProgramAt path: String, _ image: ELFImage,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ToolFailure) {
    objects = [LoadedObject(path: path, image: image)]
    guard !image.isStaticProgram, image.isForThisMachine, let loader = ELFImage.loaderOfThisMachine else { return }
    let absolute = URL(fileURLWithPath: path).path
    guard
      let output = HelperProgram.output(of: loader, ["--list", absolute], environment: environment)
    else { throw ToolFailure("\(path): the dynamic loader cannot load it", .badData) }
    // "	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", or without an arrow what was named by its path.
    for line in output.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      let place = words.count > 2 && words[1] == "=>" ? words[2] : words.first ?? ""
      if words.contains("not") && words.last == "found" {
        throw ToolFailure("\(path) needs \(words[0]), which is not there", .badData)
      }
      if place.hasPrefix("/"), let image = try? ELFImage(contentsOf: place, depth: .allSymbols) {
        objects.append(LoadedObject(path: place, image: image))
      }
    }
  }

  /// What the process `pid` is made of.
  ///
  /// - Throws: ``ToolFailure`` if there is no such process, or if it may not be looked into.
  init(ofProcess pid: Int) throws(ToolFailure) {
    let folder = "/proc/\(pid)"
    guard FileManager.default.fileExists(atPath: folder) else {
      throw ToolFailure("there is no process \(pid)", .noInput)
    }
    guard let image = try? ELFImage(contentsOf: "\(folder)/exe", depth: .allSymbols),
      let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/exe"),
      let maps = Self.contents(of: "\(folder)/maps")
    else { throw ToolFailure("process \(pid) may not be looked into, or is one of the kernel's", .noInput) }

    let files = Self.mappedFiles(String(decoding: maps, as: UTF8.self)).filter { $0 != program }
    let mapped = files.compactMap { path -> LoadedObject? in
      // The process may have a root folder of its own.
      (try? ELFImage(contentsOf: "\(folder)/root\(path)", depth: .allSymbols)).map {
        LoadedObject(path: path, image: $0)
      }
    }
    let environment = Self.contents(of: "\(folder)/environ") ?? Data()
    self.init(
      program: LoadedObject(path: program, image: image), mapped: mapped,
      preloaded: Self.preloaded(environment: environment))
  }

  /// The whole of a file of proc(5). `String(contentsOfFile:)` and `Data(contentsOf:)` take the kernel's first answer, of a page at
  /// most, for all.
  private static func contents(of path: String) -> Data? {
    try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data()
  }

  /// Puts what is mapped into the loader's order: the program, what was preloaded, then what each needs, breadth first.
  init(program: LoadedObject, mapped: [LoadedObject], preloaded: [String]) {
    var rest = mapped
    var order = [program]
    func take(_ name: String) {
      guard
        let index = rest.firstIndex(where: {
          $0.path == name || $0.image.sharedName == name || $0.path.split(separator: "/").last.map(String.init) == name
            || URL(fileURLWithPath: name).resolvingSymlinksInPath().path == $0.path
        })
      else { return }
      order.append(rest.remove(at: index))
    }
    for name in preloaded { take(name) }
    var next = 0
    while next < order.count {
      for name in order[next].image.needed { take(name) }
      next += 1
    }
    objects = order
    openedLater = rest
  }

  /// The first that defines what everybody's calls of `malloc` bind to.
  var mallocProvider: LoadedObject? {
    // A static program binds to itself whatever it shows to others.
    if objects[0].image.isStaticProgram { return objects[0].image.defines("malloc") ? objects[0] : nil }
    return objects.first { $0.image.exports("malloc") }
  }

  /// The paths of the files of which code is mapped, each once, from the text of `/proc/PID/maps` (proc_pid_maps(5)).
  static func mappedFiles(_ maps: String) -> [String] {
    var seen: Set<String> = []
    return maps.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ", maxSplits: 5)
      guard words.count == 6, words[1].contains("x") else { return nil }
      let path = words[5].drop { $0 == " " }
      guard path.hasPrefix("/"), seen.insert(String(path)).inserted else { return nil }
      return String(path)
    }
  }

  /// The libraries that a process's environment, as `/proc/PID/environ` has it, asks the loader to preload.
  static func preloaded(environment: Data) -> [String] {
    for entry in environment.split(separator: 0) where entry.starts(with: Data("LD_PRELOAD=".utf8)) {
      let value = String(decoding: entry.dropFirst("LD_PRELOAD=".utf8.count), as: UTF8.self)
      return value.split(whereSeparator: { $0 == ":" || $0 == " " }).map(String.init)
    }
    return []
  }
}

extension ELFImage {
  /// The dynamic loader of this machine's own programs.
  static var loaderOfThisMachine: String? {
    (try? ELFImage(contentsOf: "/proc/self/exe"))?.interpreter
  }
}
