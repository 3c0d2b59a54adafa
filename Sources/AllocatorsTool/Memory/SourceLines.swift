// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import BenchmarkKit
import Foundation

/// File and line of addresses, by what finds them in the debug information: `llvm-symbolizer`, which comes with Swift. Where there is none of
/// it, or of debug information, there are no lines.
struct SourceLines {
  let images: [HeapProfile.Image]
  /// By build id: where the debug information of an image is, if that is not in its own file.
  var files: [String: String] = [:]

  /// In the order of the frames; nil where the line is not known. Only of the program and of libraries that are not the system's.
  func lines(of frames: [HeapProfile.Frame]) -> [String?] {
    var lines = [String?](repeating: nil, count: frames.count)
    guard let symbolizer = try? ProgramFile(named: "llvm-symbolizer") else { return lines }
    for image in images where !Self.isOfTheSystem(image.path) {
      let places = frames.indices.filter { image.low <= frames[$0].address && frames[$0].address < image.high }
      let file = files[image.buildID] ?? image.path
      guard !places.isEmpty, FileManager.default.fileExists(atPath: file) else { continue }
      // Where a call returns to is behind it. A position-independent file begins at 0.
      let addresses = places.map { "0x" + String(frames[$0].address - 1 - image.low, radix: 16) }
      let arguments = ["--obj=\(file)", "--functions=none", "--no-inlines"] + addresses
      guard let output = HelperProgram.output(of: symbolizer.path, arguments) else { continue }
      let answers = output.components(separatedBy: "\n").filter { !$0.isEmpty }
      guard answers.count == places.count else { continue }
      for (place, answer) in zip(places, answers) { lines[place] = Self.line(answer) }
    }
    return lines
  }

  /// Whose lines nobody asks for: that would take longer than all others', where the debug information of the C library is installed.
  private static func isOfTheSystem(_ path: String) -> Bool {
    path.contains("/swift/linux/") || HeapProfile.Frame.isLibrary(image: path.split(separator: "/").last ?? "")
  }

  /// "/srv/Sources/Server/App.swift:12:3" is "App.swift:12".
  static func line(_ answer: String) -> String? {
    let parts = (answer.split(separator: "/").last ?? "").split(separator: ":")
    guard parts.count == 3, let number = Int(parts[1]), number > 0, parts[0] != "??" else { return nil }
    return "\(parts[0]):\(number)"
  }
}
