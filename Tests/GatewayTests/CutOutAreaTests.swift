import AnswerSheet
import Domain
import Testing

@testable import Gateway

@Suite struct CutOutAreaTests {
    @Test func `a cut-out shows all of its field and nothing of any other`() throws {
        var questions: [Question] = []
        for number in 1...40 {
            let kind = Question.Kind.allCases[number % Question.Kind.allCases.count]
            var question = Question(number: number, kind: kind, points: 2)
            if kind == .singleChoice || kind == .multipleChoice { question.options = 4 }
            if kind == .numeric, number % 4 == 0 { question.digits = 5 }
            questions.append(question)
        }
        let exam = Exam(
            id: "e", draft: ExamDraft(title: "t", subject: "", studentIDDigits: 8, questions: questions), owner: "li",
            createdAt: .now, updatedAt: .now, version: 1, keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        var seen = 0
        for page in layout.pages {
            for field in page.fields {
                let area = try #require(CutOutArea.area(of: field.name, on: page), "\(field.name)")
                #expect(places(field).allSatisfy { contains(area, $0) }, "\(field.name)")
                for other in page.fields where other.name != field.name {
                    #expect(!places(other).contains { contains(area, $0) }, "\(other.name) in \(field.name)")
                }
                seen += 1
            }
            #expect(CutOutArea.area(of: "q999", on: page) == nil)
        }
        #expect(seen > 40)
    }

    /// The corners of everything of a field.
    private func places(_ field: LayoutField) -> [(x: Double, y: Double)] {
        var boxes = field.bubbles.map { Domain.Box(x: $0.x, y: $0.y, width: $0.width, height: $0.height) }
        if let box = field.box { boxes.append(box) }
        var places: [(x: Double, y: Double)] = []
        for box in boxes {
            for side in [-0.499, 0.499] {
                places.append((box.x + side * box.width, box.y - 0.499 * box.height))
                places.append((box.x + side * box.width, box.y + 0.499 * box.height))
            }
        }
        return places
    }

    private func contains(_ area: Domain.Box, _ place: (x: Double, y: Double)) -> Bool {
        abs(place.x - area.x) <= area.width / 2 && abs(place.y - area.y) <= area.height / 2
    }
}
